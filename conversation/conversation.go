package conversation

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/audio"
	"parley/llm"
	"parley/stt"
	"parley/tts"
)

// Parts are what a conversation is made of. Log may be nil.
type Parts struct {
	Detector    Detector // this call's own
	Transcriber stt.Transcriber
	Model       llm.Model
	Voice       tts.Voice
	// Events receives everything that happens, in order, from the loop; it
	// must not block, and must not call back into the conversation.
	Events func(Envelope)
	Log    *slog.Logger
}

// Options of a conversation. The zero value works, but for Call.
type Options struct {
	Call    string
	Client  string  // what the caller's software calls itself
	Session Session // zero: DefaultSession
	History []llm.Message
	// STTPatience is how long a recogniser may take after the audio has ended; 0: 15 s.
	STTPatience time.Duration
}

const (
	heardQueue  = 64 // news from the ear, a few a turn; when full the newest goes, and is counted
	inputQueue  = 64 // requests of the caller; when full the newest is refused
	sttPatience = 15 * time.Second
)

// Conversation is one call's turns. Create it with New, then Run it.
type Conversation struct {
	opts  Options
	parts Parts
	log   *slog.Logger

	ear     *ear // shared with the media receiver
	heard   chan post
	dropped atomic.Int64
	inputs  chan Input
	posts   chan post
	first   chan packetSent
	hangup  chan string
	speaker chan Speaker
	done    chan struct{}

	// Owned by the loop.
	state   *state
	output  Speaker
	seq     uint64
	stt     map[int]transcription
	replies map[int]speaking
	ended   bool
	work    sync.WaitGroup // every goroutine of the call
}

// post is an input from one of the call's own goroutines, with its time.
type post struct {
	in Input
	at time.Time
}

// New prepares a conversation. Nothing happens until Run.
func New(o Options, p Parts) *Conversation {
	if o.Session == (Session{}) {
		o.Session = DefaultSession()
	}
	if o.STTPatience == 0 {
		o.STTPatience = sttPatience
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	c := &Conversation{
		opts: o, parts: p, log: p.Log,
		heard:  make(chan post, heardQueue),
		inputs: make(chan Input, inputQueue),
		posts:  make(chan post), first: make(chan packetSent, 1),
		hangup: make(chan string, 1), speaker: make(chan Speaker, 1),
		done:  make(chan struct{}),
		state: newState(o.Session), ear: newEar(p.Detector),
		stt: map[int]transcription{}, replies: map[int]speaking{},
	}
	c.state.history = append(c.state.history, o.History...)
	return c
}

// Hear takes a frame of the caller's audio: 16 kHz mono, in order. It runs the
// detector on it (0.1 ms at most every 32 ms), copies the samples it keeps and
// never waits for the loop, which only learns of what a frame brings about; the
// media receiver calls it.
func (c *Conversation) Hear(f audio.Frame) {
	news := c.ear.hear(f)
	for _, in := range news {
		select {
		case c.heard <- post{in, time.Now()}:
		default:
			c.dropped.Add(1)
		}
	}
}

// Send asks for something. It never blocks; false says that the call is over
// or that too many requests wait already.
func (c *Conversation) Send(in Input) bool {
	select {
	case <-c.done:
		return false
	default:
	}
	select {
	case c.inputs <- in:
		return true
	default:
		return false
	}
}

// UseSpeaker makes replies go to s from now on (nil: nowhere, as text only). A
// reply that is being played moves not; it ends with its own speaker. Safe from
// any goroutine; the latest call stands.
func (c *Conversation) UseSpeaker(s Speaker) {
	for {
		select {
		case c.speaker <- s:
			return
		case <-c.speaker:
		case <-c.done:
			return
		}
	}
}

// HangUp ends the call; Run returns soon after. Safe to call more than once.
func (c *Conversation) HangUp(cause string) {
	select {
	case c.hangup <- cause:
	default:
	}
}

// Done is closed when Run has returned.
func (c *Conversation) Done() <-chan struct{} { return c.done }

// Run holds the conversation until HangUp or the end of ctx. When it returns,
// all its goroutines have ended and every turn has its TurnEnded.
func (c *Conversation) Run(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer close(c.done)
	defer c.work.Wait()
	defer cancel(ErrHangUp)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()

	c.emit(CallStarted{Session: c.opts.Session, Client: c.opts.Client}, time.Now())
	c.ear.tune(c.opts.Session)
	for !c.ended {
		c.setTimer(timer)
		select {
		case p := <-c.heard:
			c.take(ctx, p.in, p.at)
			c.reportDrops()
		case in := <-c.inputs:
			c.take(ctx, in, time.Now())
		case p := <-c.posts:
			c.take(ctx, p.in, p.at)
		case in := <-c.first:
			c.take(ctx, in, in.at)
		case s := <-c.speaker:
			c.output = s
		case <-timer.C:
			c.wake(ctx, time.Now())
		case cause := <-c.hangup:
			c.take(ctx, HangUp{Cause: cause}, time.Now())
		case <-ctx.Done():
			cause := "shutdown"
			if !errors.Is(context.Cause(ctx), context.Canceled) {
				cause = context.Cause(ctx).Error()
			}
			c.take(ctx, HangUp{Cause: cause}, time.Now())
		}
	}
}

// take makes one step and performs its effects.
func (c *Conversation) take(ctx context.Context, in Input, now time.Time) {
	c.forget(in)
	for _, e := range step(c.state, in, now) {
		c.perform(ctx, e, now)
	}
}

// wake lets time pass for the ear and for the state.
func (c *Conversation) wake(ctx context.Context, now time.Time) {
	if in, ok := c.ear.tick(now); ok {
		c.take(ctx, in, now)
	}
	var played Played
	if r := c.state.reply; r != nil {
		if s := c.replies[r.n]; s.playback != nil {
			played = s.playback.Played()
		}
	}
	c.take(ctx, tick{played: played}, now)
}

// setTimer arms the timer for whatever is due first.
func (c *Conversation) setTimer(timer *time.Timer) {
	due := c.state.wake()
	if at := c.ear.wake(); !at.IsZero() && (due.IsZero() || at.Before(due)) {
		due = at
	}
	if due.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(max(0, time.Until(due)))
}

func (c *Conversation) reportDrops() {
	if n := c.dropped.Swap(0); n > 0 {
		c.log.Warn("the conversation is behind what it hears", "dropped", n)
		c.emit(Dropped{Queue: "heard", Count: int(n)}, time.Now())
	}
}

func (c *Conversation) emit(e Event, now time.Time) {
	c.seq++
	if c.parts.Events != nil {
		c.parts.Events(Envelope{Call: c.opts.Call, Seq: c.seq, At: now, Event: e})
	}
}

// post hands an input to the loop from one of its goroutines; false when the call is over.
func (c *Conversation) post(ctx context.Context, in Input) bool {
	select {
	case c.posts <- post{in, time.Now()}:
		return true
	case <-ctx.Done():
		return false
	}
}
