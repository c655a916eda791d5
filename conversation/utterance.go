package conversation

import (
	"context"
	"iter"
	"sync"
	"time"

	"parley/audio"
)

// utterance is the audio of one turn on its way to a recogniser: written by the
// conversation's loop, read by the turn's transcription. It keeps everything
// until the turn is over, bounded by the longest turn (about 32 KB a second).
type utterance struct {
	mu     sync.Mutex
	frames []audio.Frame // PCM of its own
	length time.Duration
	voiced time.Duration
	closed bool
	more   chan struct{} // holds a token when there is news for the reader
}

func newUtterance() *utterance { return &utterance{more: make(chan struct{}, 1)} }

// add appends a copy of f.
func (u *utterance) add(f audio.Frame) {
	u.mu.Lock()
	u.frames = append(u.frames, f.Clone())
	u.length += f.Duration()
	if f.Activity == audio.Voice {
		u.voiced += f.Duration()
	}
	u.mu.Unlock()
	u.wake()
}

// close tells the reader that nothing more comes.
func (u *utterance) close() {
	u.mu.Lock()
	u.closed = true
	u.mu.Unlock()
	u.wake()
}

// size is how long the utterance is and how much of it is voiced.
func (u *utterance) size() (length, voiced time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.length, u.voiced
}

func (u *utterance) wake() {
	select {
	case u.more <- struct{}{}:
	default:
	}
}

// read yields the frames in order until the utterance is closed or ctx is done.
// There is one reader.
func (u *utterance) read(ctx context.Context) iter.Seq[audio.Frame] {
	return func(yield func(audio.Frame) bool) {
		for next := 0; ; {
			u.mu.Lock()
			news, closed := u.frames[next:], u.closed
			u.mu.Unlock()
			for _, f := range news {
				if ctx.Err() != nil || !yield(f) {
					return
				}
				next++
			}
			if len(news) > 0 {
				continue
			}
			if closed {
				return
			}
			select {
			case <-u.more:
			case <-ctx.Done():
				return
			}
		}
	}
}
