package conversation

import (
	"context"
	"time"

	"parley/internal/fault"
)

// transcription is the work that turns one utterance into words.
type transcription struct {
	cancel   context.CancelCauseFunc
	patience *time.Timer // runs once the audio has ended
}

// speaking is the work of one reply.
type speaking struct {
	cancel   context.CancelCauseFunc
	playback Playback // nil when the reply is not spoken
}

// perform carries out one effect. It never blocks.
func (c *Conversation) perform(ctx context.Context, e effect, now time.Time) {
	switch e := e.(type) {
	case emit:
		c.emit(e.event, now)
	case tuneEar:
		c.ear.tune(e.session)
	case openUtterance:
		c.transcribe(ctx, e.turn, c.ear.begin(e.turn, e.from, now))
	case awaitTail:
		c.ear.awaitTail(e.turn, now)
	case closeUtterance:
		c.ear.end(e.turn)
		if t, ok := c.stt[e.turn]; ok {
			t.patience.Reset(c.opts.STTPatience)
		}
	case dropUtterance:
		c.ear.end(e.turn)
		c.endTranscription(e.turn, ErrDiscarded)
	case startReply:
		c.startReply(ctx, e)
	case stopReply:
		if s, ok := c.replies[e.reply]; ok {
			s.cancel(e.cause)
			if s.playback != nil {
				s.playback.Stop()
			}
		}
	case hangUp:
		c.ended = true
	}
}

// transcribe starts the transcription of a turn. Its news are posted under the
// call's context, so that they arrive even when the turn's own has ended.
func (c *Conversation) transcribe(call context.Context, turn int, u *utterance) {
	ctx, cancel := context.WithCancelCause(call)
	patience := time.AfterFunc(time.Hour, func() {
		cancel(fault.New(fault.Stalled, "conversation: wait for the transcript", nil))
	})
	patience.Stop()
	c.stt[turn] = transcription{cancel: cancel, patience: patience}
	c.work.Go(func() {
		defer cancel(nil)
		for t, err := range c.parts.Transcriber.Transcribe(ctx, u.read(ctx)) {
			if err != nil {
				c.report(call, turn, whyNot(ctx, err))
				return
			}
			length, voiced := u.size()
			c.post(call, transcribed{turn: turn, result: t, audio: length, voiced: voiced})
			if t.Final {
				return
			}
		}
		c.report(call, turn, whyNot(ctx, fault.Newf(fault.Failed, "conversation: transcribe",
			"%T ended without a final transcript", c.parts.Transcriber)))
	})
}

func (c *Conversation) report(call context.Context, turn int, err error) {
	if err != nil {
		c.post(call, transcriptionFailed{turn, err})
	}
}

// whyNot is the reason for which work under ctx failed with err: nil when it
// was cancelled because nobody wants it.
func whyNot(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if cause := context.Cause(ctx); fault.KindOf(cause) == fault.Stalled {
		return cause
	}
	return nil
}

// forget lets go of work that has ended, as the input in tells.
func (c *Conversation) forget(in Input) {
	switch in := in.(type) {
	case transcribed:
		if in.result.Final {
			c.endTranscription(in.turn, nil)
		}
	case transcriptionFailed:
		c.ear.end(in.turn)
		c.endTranscription(in.turn, nil)
	case replyReturned:
		delete(c.replies, in.reply)
	}
}

func (c *Conversation) endTranscription(turn int, cause error) {
	if t, ok := c.stt[turn]; ok {
		t.patience.Stop()
		t.cancel(cause)
		delete(c.stt, turn)
	}
}
