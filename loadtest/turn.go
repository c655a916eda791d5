package loadtest

import (
	"context"
	"errors"
	"time"

	"parley/internal/timeline"
)

// The limits of a turn, beside Options.AnswerTimeout.
const (
	quietWithoutEvents = 600 * time.Millisecond // no packets: the answer is over
	quietWithEvents    = 3 * time.Second        // the same where an event should have told
	settle             = 60 * time.Millisecond  // for the last packets, which the event may overtake
	maxAnswer          = 2 * time.Minute
	endGrace           = time.Second            // for a turn's timeline to come after its sound
	textGrace          = time.Second            // for sound to follow a finished text
	goOnGrace          = 200 * time.Millisecond // an answer begun too early that lasts longer was meant
)

// Turn is one exchange: what the caller said and what came back.
type Turn struct {
	Input      string // "audio", "push_to_talk" or "text"
	Said       string // the clip's name, or the text
	Transcript string // what parley understood; for a text, the text
	Reply      string // the answer's words
	Heard      string // the part of them parley knows to have been heard
	Answered   bool
	Reason     string // why it went unanswered; a sentence
	Notices    []string
	Status     string // of the turn, as parley tells it

	// Latency runs from the sending of the last packet with speech to the
	// arrival of the first audible packet (for a written answer: of its first
	// text); below 0 where the answer began too early. FirstPacket is the same
	// to the first packet, audible or not.
	Latency, FirstPacket time.Duration
	ReplyLength          time.Duration     // first to last packet of the answer
	Timeline             timeline.Timeline // parley's own marks; empty where it gave none

	Onset, Spoke   time.Time // first and last packet with speech sent
	Audible, Ended time.Time // first audible and last packet of the answer arrived

	Sound []int16 // what was heard since the turn began, with Options.Record; mono
	Rate  int     // of Sound, Hz
}

// watch is a turn under way.
type watch struct {
	input, said string
	onset       time.Time
	spoke       time.Time // where the wait begins
	spurts      int       // of the far side before the turn
}

// Say plays a clip and waits for the whole answer. With Options.PushToTalk the
// button is held meanwhile. A turn that went unanswered is an *Error of class
// Unanswered, with the Turn that tells how far it came.
func (c *Caller) Say(ctx context.Context, clip *Clip) (Turn, error) {
	w, err := c.play(ctx, clip)
	if err != nil {
		return c.broken(w, err)
	}
	return c.answer(ctx, w)
}

// Play plays a clip and returns once its last packet has left. It does not
// wait for an answer.
func (c *Caller) Play(ctx context.Context, clip *Clip) error {
	_, err := c.play(ctx, clip)
	return err
}

// Write sends a text and waits for the whole answer; see Say.
func (c *Caller) Write(ctx context.Context, text string) (Turn, error) {
	w := c.begin("text", text)
	w.spoke = time.Now()
	item := map[string]any{"type": "message", "role": "user", "content": []any{map[string]any{"type": "input_text", "text": text}}}
	err := errors.Join(
		c.Send(map[string]any{"type": "conversation.item.create", "item": item}),
		c.Send(plainEvent{"response.create"}))
	if err != nil {
		return c.broken(w, err)
	}
	return c.answer(ctx, w)
}

func (c *Caller) begin(input, said string) watch {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.story.begin()
	c.ear.heard = nil
	return watch{input: input, said: said, spurts: c.ear.count()}
}

func (c *Caller) play(ctx context.Context, clip *Clip) (watch, error) {
	input := "audio"
	if c.o.PushToTalk {
		input = "push_to_talk"
	}
	w := c.begin(input, clip.Name)
	if clip.last < 0 {
		return w, failf(BadAudio, nil, "%s holds only silence: nobody could answer it.", clip.Name)
	}
	if c.o.PushToTalk {
		if err := c.Press(); err != nil {
			return w, err
		}
	}
	p := &play{clip: clip}
	c.update(func() { c.mic.play = p })
	err := c.await(ctx, func(time.Time) (bool, time.Time) { return !p.ended.IsZero(), time.Time{} })
	c.mu.Lock()
	w.onset, w.spoke = p.onset, p.spoke
	if err != nil {
		c.mic.play = nil
	}
	c.mu.Unlock()
	if err == nil && c.o.PushToTalk {
		err = c.Release()
	}
	return w, err
}

// answer waits for the answer's end and sums the turn up.
func (c *Caller) answer(ctx context.Context, w watch) (Turn, error) {
	var v verdict
	err := c.await(ctx, func(now time.Time) (bool, time.Time) {
		v = c.judge(w, now)
		return v.done, v.wake
	})
	if err != nil {
		return c.broken(w, err)
	}
	c.mu.Lock()
	turn := c.sum(w)
	c.mu.Unlock()
	if v.answered && turn.Status != "failed" {
		turn.Answered = true
		return turn, nil
	}
	if turn.Reason = v.reason; v.answered { // what was heard is an apology
		turn.Reason = failedReason(turn)
	}
	return turn, failf(Unanswered, nil, "%s went unanswered: %s", turn.Said, turn.Reason)
}

// broken sums up a turn that the call's end, or the caller's, cut short.
func (c *Caller) broken(w watch, cause error) (Turn, error) {
	c.mu.Lock()
	turn := c.sum(w)
	c.mu.Unlock()
	turn.Reason = cause.Error()
	if errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, context.Canceled) {
		turn.Reason = "The wait was broken off."
	}
	return turn, cause
}

// sum makes the Turn of what is known now. It holds the mutex.
func (c *Caller) sum(w watch) Turn {
	t := Turn{
		Input: w.input, Said: w.said, Transcript: c.story.transcript(), Notices: c.story.notices,
		Onset: w.onset, Spoke: w.spoke, Sound: c.ear.heard, Rate: c.ear.rate,
	}
	if w.input == "text" {
		t.Transcript = w.said
	}
	if r := c.story.latest(); r != nil {
		t.Reply, t.Status = r.words(), r.status
		if !r.first.IsZero() {
			t.Latency = r.first.Sub(w.spoke)
		}
	}
	if n := len(c.story.ends); n > 0 {
		end := c.story.ends[n-1]
		t.Status, t.Heard, t.Timeline = end.status, end.heard, end.timeline
		if t.Transcript == "" {
			t.Transcript = end.user
		}
	}
	if s := c.answerOf(w); s != nil {
		t.Audible, t.Ended = s.audible, c.ear.latest()
		t.Latency, t.FirstPacket = s.audible.Sub(w.spoke), s.first.Sub(w.spoke)
		t.ReplyLength = t.Ended.Sub(s.first)
	}
	return t
}

// answerOf finds the spurt that answers: the first audible one since the turn
// began that was not broken off by the caller's own words going on. It holds
// the mutex.
func (c *Caller) answerOf(w watch) *spurt {
	spurts := c.ear.since(w.spurts)
	for i := range spurts {
		s := &spurts[i]
		begunEarly := s.first.Before(w.spoke)
		if s.audible.IsZero() || begunEarly && s.last.Before(w.spoke.Add(goOnGrace)) {
			continue
		}
		return s
	}
	return nil
}
