package conversation

import (
	"context"
	"time"
)

// Speaker plays replies to the caller, one at a time.
type Speaker interface {
	// Start begins a reply. A Playback that is still active is stopped first.
	// onFirst is called once, from another goroutine and without blocking it,
	// with the time at which the first packet left; never after Stop returned.
	Start(onFirst func(at time.Time)) Playback
}

// Playback is one reply on its way out. Its methods may be called from several
// goroutines; Write from one.
type Playback interface {
	// Write queues mono PCM at one of Opus's rates, the same for the whole
	// reply, and returns when it is queued. It blocks while more than a short
	// buffer waits, and returns an error once ctx is done or the playback was
	// stopped; then nothing of pcm will be played.
	Write(ctx context.Context, pcm []int16, rate int) error
	// Drain tells that nothing more comes and waits until all of it was sent.
	Drain(ctx context.Context) error
	// Stop throws away what was not sent: at most the packet being written
	// still leaves. It is idempotent and returns what was played.
	Stop() Played
	// Played says how far the reply has come.
	Played() Played
}

// Played is a position in a reply.
type Played struct {
	Sent  time.Duration // audio sent as RTP
	Heard time.Duration // of it, what the caller has heard, from RTCP reports; Sent where none have come
}
