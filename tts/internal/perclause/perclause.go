// Package perclause makes a tts.Voice of a function that speaks one clause. It
// pulls the text, has the next clause made while the present one is delivered,
// marks clauses, times words, takes silence off the ends and waits for all of
// it to stop.
//
// May import: audio, tts and the standard library.
// Concurrency: a Voice is safe for concurrent use if its Say is. Each stream
// owns its goroutines: one that pulls text, one per clause in the making (two
// at most). When a stream has ended the clauses' have returned; the other one
// may still wait for a text that is slow to answer, and then stops.
package perclause

import (
	"context"
	"iter"
	"sync"
	"time"

	"parley/audio"
	"parley/tts"
)

// Emit takes the next samples of a clause, lent for the call, and words whose
// times count from the clause's first sample, in order. It blocks while enough
// audio waits, and fails once the stream has ended.
type Emit func(pcm []int16, words ...tts.Word) error

// Func speaks one clause. It returns soon after ctx is done or emit failed.
type Func func(ctx context.Context, clause string, emit Emit) error

// Voice speaks clause by clause. Rate and Say must be set.
type Voice struct {
	Rate int // samples per second of all that Say emits
	Say  Func
	// Buffer is how much audio of a clause is made ahead of the listener; then
	// Say blocks. 0 means 1 s.
	Buffer time.Duration
	// Threshold is the level, as a sample value, that counts as sound: silence
	// before the first sound of a clause goes, and so does all after the last
	// but a pause. 0 leaves silence alone.
	Threshold int16
	// MaxPause bounds, where Threshold is set, a pause within a clause. 0 means 2 s.
	MaxPause time.Duration
}

// Speak implements tts.Voice.
func (v *Voice) Speak(ctx context.Context, text iter.Seq[string]) iter.Seq2[tts.Speech, error] {
	return func(yield func(tts.Speech, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(tts.Speech{}, err)
			return
		}
		s := newStream(ctx, v)
		defer s.end()
		go s.pull(text)
		if err := s.deliver(yield); err != nil {
			yield(tts.Speech{}, err)
		}
	}
}

// ahead is how many clauses are in the making or being delivered at a time.
const ahead = 2

// maxFree bounds the buffers of a stream that wait to be used again.
const maxFree = 64

// stream is one call of Speak.
type stream struct {
	voice  *Voice
	ctx    context.Context
	cancel context.CancelFunc
	jobs   chan *job     // in order; closed when the text has ended
	slots  chan struct{} // one per clause not yet delivered
	free   chan []int16  // buffers to use again
	making sync.WaitGroup

	mu      sync.Mutex
	ended   bool          // no further pull may begin
	pulling bool          // the text has been asked
	pulled  chan struct{} // closed when pull has returned
}

func newStream(ctx context.Context, v *Voice) *stream {
	s := &stream{
		voice:  v,
		jobs:   make(chan *job, ahead),
		slots:  make(chan struct{}, ahead),
		free:   make(chan []int16, maxFree),
		pulled: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s
}

// pull asks for clauses and has each made. It asks for the next one when the
// present one sounds, so that the first has the machine for itself, and when
// fewer than ahead are under way.
func (s *stream) pull(text iter.Seq[string]) {
	defer close(s.pulled)
	defer close(s.jobs)
	if !s.slot() || !s.mayPull() {
		return
	}
	for clause := range text {
		if !s.take(clause) || !s.mayPull() {
			return
		}
	}
}

// take starts to make a clause and returns when the next may be pulled.
func (s *stream) take(clause string) bool {
	s.mu.Lock()
	s.pulling = false
	if s.ended {
		s.mu.Unlock()
		return false
	}
	s.making.Add(1)
	s.mu.Unlock()
	j := newJob(s, clause)
	go func() {
		defer s.making.Done()
		j.run()
	}()
	s.jobs <- j // has room for all that hold a slot
	select {
	case <-j.sounds:
	case <-s.ctx.Done():
		return false
	}
	return s.slot()
}

// slot waits until one more clause may be under way.
func (s *stream) slot() bool {
	select {
	case s.slots <- struct{}{}:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *stream) mayPull() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulling = !s.ended
	return s.pulling
}

// end stops everything. It does not wait for a pull under way: the text may
// end only after this stream has.
func (s *stream) end() {
	s.cancel()
	s.mu.Lock()
	s.ended = true
	pulling := s.pulling
	s.mu.Unlock()
	s.making.Wait()
	if !pulling {
		<-s.pulled
	}
}

// deliver yields the clauses in order. Its error is the stream's.
func (s *stream) deliver(yield func(tts.Speech, error) bool) error {
	at := 0 // samples yielded
	for {
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case j, ok := <-s.jobs:
			if !ok {
				return s.ctx.Err()
			}
			n, more, err := s.deliverJob(j, at, yield)
			if err != nil || !more {
				return err
			}
			at += n
			<-s.slots
		}
	}
}

// deliverJob yields one clause, which begins after at samples. It returns the
// clause's length and whether to go on.
func (s *stream) deliverJob(j *job, at int, yield func(tts.Speech, error) bool) (n int, more bool, err error) {
	clause, marked := j.clause, false
	shift := audio.SamplesToDuration(at, s.voice.Rate)
	give := func(p piece) bool {
		for i := range p.words {
			p.words[i].Start += shift
			p.words[i].End += shift
		}
		sp := tts.Speech{PCM: p.pcm, Rate: s.voice.Rate, Words: p.words}
		if !marked {
			sp.Clause, marked = clause, true
		}
		n += len(p.pcm)
		ok := yield(sp, nil)
		s.recycle(p.pcm)
		return ok
	}
	for {
		select {
		case <-s.ctx.Done():
			return n, false, s.ctx.Err()
		case p, ok := <-j.pieces:
			switch {
			case s.ctx.Err() != nil:
				return n, false, s.ctx.Err()
			case ok:
				if !give(p) {
					return n, false, nil
				}
				continue
			case j.err != nil:
				return n, false, j.err
			}
			if !marked && !give(piece{}) {
				return n, false, nil
			}
			return n, true, nil
		}
	}
}

func (s *stream) recycle(buf []int16) {
	if cap(buf) == 0 {
		return
	}
	select {
	case s.free <- buf[:0]:
	default:
	}
}
