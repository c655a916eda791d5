package loadtest

import (
	"context"
	"time"

	"parley/internal/timeline"
)

// Interruption is what happened when the caller spoke over an answer.
type Interruption struct {
	First, Second Turn
	// Stopped says whether the answer was broken off; false where it ran to its
	// end by itself.
	Stopped bool
	// OnsetToSilence runs from the sending of the first packet with speech of
	// the second clip to the arrival of the last packet of the first answer.
	OnsetToSilence time.Duration
	// DecisionToSilence runs from parley's own decision (the mark
	// "interrupted") to that last packet. It is below 0 where the packet had
	// arrived before, and has a meaning only where both sides share a clock.
	DecisionToSilence time.Duration
	Decided           bool // DecisionToSilence is known
}

// SayAndInterrupt plays the first clip, lets its answer sound for a while, and
// plays the second clip over it; then it waits for the second answer.
func (c *Caller) SayAndInterrupt(ctx context.Context, first, second *Clip, after time.Duration) (Interruption, error) {
	var out Interruption
	w, err := c.play(ctx, first)
	if err != nil {
		out.First, err = c.broken(w, err)
		return out, err
	}
	if out.First, err = c.hearSome(ctx, w, after); err != nil {
		return out, err
	}
	over, err := c.play(ctx, second)
	if err == nil {
		out.Second, err = c.answer(ctx, over)
	} else {
		out.Second, err = c.broken(over, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.ear.since(over.spurts - 1); len(old) > 0 && over.spurts > w.spurts {
		out.OnsetToSilence = old[0].last.Sub(over.onset)
		out.First.Ended = old[0].last
		out.First.ReplyLength = old[0].last.Sub(old[0].first)
	}
	c.decided(&out)
	return out, err
}

// hearSome waits until the answer has sounded for a while.
func (c *Caller) hearSome(ctx context.Context, w watch, after time.Duration) (Turn, error) {
	var v verdict
	err := c.await(ctx, func(now time.Time) (bool, time.Time) {
		if s := c.answerOf(w); s != nil {
			at := s.audible.Add(after)
			return !now.Before(at), at
		}
		v = c.judge(w, now)
		return v.done, v.wake
	})
	if err != nil {
		return c.broken(w, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	turn := c.sum(w)
	if turn.Answered = !turn.Audible.IsZero(); !turn.Answered {
		turn.Reason = v.reason
		return turn, failf(Unanswered, nil, "%s went unanswered: %s", turn.Said, v.reason)
	}
	return turn, nil
}

// decided fills in what the events told of the interruption. It holds the mutex.
func (c *Caller) decided(out *Interruption) {
	if r := c.story.previous; r != nil && (r.cleared || r.status == "cancelled") {
		out.Stopped = true
	}
	for _, end := range c.story.ends {
		at, ok := end.timeline.At(timeline.Interrupted)
		if !ok {
			continue
		}
		out.Stopped, out.Decided = true, true
		out.First.Timeline, out.First.Status, out.First.Heard = end.timeline, end.status, end.heard
		out.DecisionToSilence = out.First.Ended.Sub(at)
		return
	}
}
