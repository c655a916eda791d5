package conversation

import (
	"time"

	"parley/internal/timeline"
	"parley/llm"
)

// step is the whole of the conversation's judgement: it takes one input and
// returns what is to be done about it. It reads no clock, starts nothing and
// blocks on nothing; the same inputs at the same times give the same effects.
// The state is changed in place and belongs to the caller.
func step(s *state, in Input, now time.Time) []effect {
	if s.ended {
		return nil
	}
	x := &stepper{state: s, now: now}
	x.take(in)
	if !s.ended {
		x.settle()
	}
	return x.effects
}

// stepper collects the effects of one step.
type stepper struct {
	*state
	now     time.Time
	effects []effect
}

func (x *stepper) do(e effect)  { x.effects = append(x.effects, e) }
func (x *stepper) emit(e Event) { x.do(emit{e}) }
func (x *stepper) refuse(code, message, ref string) {
	x.emit(Refused{Code: code, Message: message, Ref: ref})
}

func (x *stepper) take(in Input) {
	switch in := in.(type) {
	case speechBegan, speechEnded, Press, Release, Commit, ClearInput, tailEnded, transcribed, transcriptionFailed:
		x.takeHearing(in)
	case replyText, replyAction, clauseReady, generated, voiceMark, audioReady, packetSent, voiceStop, replyReturned:
		x.takeReply(in)
	case Configure:
		x.configure(in)
	case AddText:
		x.addText(in)
	case CreateReply:
		x.createReply(in)
	case CancelReply:
		x.cancelReply(in)
	case ClearOutput:
		if x.reply != nil {
			x.stopReply(ErrCancelled, reasonClient)
		}
	case Heard:
		x.heardFirst(in)
	case tick:
		x.tick(in)
	case HangUp:
		x.hangUp(in.Cause)
	}
}

func (x *stepper) configure(in Configure) {
	next, err := in.Patch.Apply(x.session)
	if err != nil {
		x.refuse("invalid_value", "That session setting cannot be used: "+err.Error()+".", in.Ref)
		return
	}
	if t := x.listening(); t != nil && t.phase == hearing && next.Mode != x.session.Mode {
		x.discard(t, reasonCleared)
	}
	x.session = next
	x.do(tuneEar{next})
	x.emit(SessionChanged{next})
}

func (x *stepper) addText(in AddText) {
	if len(in.Text) == 0 || len(in.Text) > maxText {
		x.refuse("invalid_value", "A message must have between 1 and 8192 bytes of text.", in.Ref)
		return
	}
	if len(x.turns) >= maxOpenTurns {
		x.refuse("overloaded", "Too many messages wait to be answered.", in.Ref)
		return
	}
	x.giveWay()
	x.owed = false
	t := x.openTurn(inputText, x.now)
	t.phase, t.text = understood, in.Text
	x.stamp(t, timeline.SpeechEnded, timeline.EndpointDecided, timeline.STTFinal)
	x.emit(TextReceived{Turn: t.n, Text: in.Text})
	x.emit(InputCommitted{Turn: t.n})
}

func (x *stepper) createReply(in CreateReply) {
	if r := x.reply; r != nil && !r.stopped {
		x.refuse("conversation_already_has_active_response",
			"A reply is already under way; cancel it or wait for it to end.", in.Ref)
		return
	}
	t := x.lastOpen()
	if t == nil || t.phase == hearing || x.reply != nil && x.reply.turn == t {
		t = x.openTurn(inputRequest, x.now)
		t.phase = understood
		x.stamp(t, timeline.SpeechEnded, timeline.EndpointDecided, timeline.STTFinal)
	}
	if t.status == Cancelled { // its reply was called off; now it is wanted after all
		t.status, t.reason = Completed, ""
	}
	t.answer, t.instruct = true, in.Instructions
}

// lastOpen is the newest turn that waits to be answered.
func (x *stepper) lastOpen() *turn {
	if n := len(x.turns); n > 0 {
		return x.turns[n-1]
	}
	return nil
}

func (x *stepper) cancelReply(in CancelReply) {
	waiting := false
	for _, t := range x.turns {
		if t.answer && t.phase > hearing { // nothing is in the making while the caller speaks
			t.answer, waiting = false, true
			t.status, t.reason = Cancelled, reasonClient
		}
	}
	switch {
	case x.reply != nil && !x.reply.stopped:
		x.stopReply(ErrCancelled, reasonClient)
	case !waiting:
		x.refuse("response_cancel_not_active", "There is no reply to cancel.", in.Ref)
	}
}

// giveWay makes room for new words of the caller: the active reply stops, and
// turns that still wait for theirs will go without. Their words stay. A timer
// that rang meanwhile is still told.
func (x *stepper) giveWay() {
	for _, t := range x.turns {
		if t.answer && t.input != inputTimer {
			t.answer = false
			t.status, t.reason = Cancelled, reasonTurnDetected
		}
	}
	if x.reply != nil {
		x.stopReply(ErrBargeIn, reasonTurnDetected)
	}
}

func (x *stepper) stopReply(cause error, reason string) {
	r := x.reply
	if r.stopped {
		return
	}
	r.stopped, r.status, r.reason = true, Cancelled, reason
	r.turn.line.Set(timeline.Interrupted, x.now)
	x.do(stopReply{r.n, cause})
	if r.started {
		x.emit(PlaybackStopped{Turn: r.turn.n, Reply: r.n, Flushed: true})
	}
}

// settle does what the new state allows: in the order of the turns, put words
// into the history, start the next reply, close what is finished.
func (x *stepper) settle() {
	for len(x.turns) > 0 {
		t := x.turns[0]
		if t.phase != understood || (x.reply != nil && x.reply.turn != t) {
			return
		}
		if !t.kept {
			t.kept = true
			x.remember(llm.User, t.text)
		}
		switch {
		case x.reply != nil: // its own reply is under way
			return
		case t.answer && t.input == inputTimer && x.listening() != nil:
			return // told once the caller has finished
		case t.answer:
			x.startReply(t)
			return
		case t.reason == "" && len(x.turns) == 1: // someone may still ask for a reply
			return
		}
		if t.reason == "" {
			t.status, t.reason = Cancelled, reasonUnanswered
		}
		x.close(t)
	}
}

func (x *stepper) startReply(t *turn) {
	x.lastReply++
	r := &reply{n: x.lastReply, turn: t, spoken: x.session.Speak}
	x.reply = r
	t.answer = false
	x.emit(ReplyStarted{Turn: t.n, Reply: r.n})
	x.do(startReply{reply: r.n, fixed: t.fixed, prompt: x.prompt(t, x.now), speak: r.spoken})
}

// close ends a turn and tells.
func (x *stepper) close(t *turn) {
	for i, open := range x.turns {
		if open == t {
			x.turns = append(x.turns[:i:i], x.turns[i+1:]...)
			break
		}
	}
	x.lastDone = t
	x.emit(TurnEnded{
		Turn: t.n, Input: t.input, Status: t.status, Reason: t.reason,
		User: t.text, Heard: t.heard, Started: t.started, Timeline: t.line,
	})
}

func (x *stepper) stamp(t *turn, marks ...timeline.Mark) {
	for _, m := range marks {
		t.line.Set(m, x.now)
	}
}

// hangUp closes everything that is open, in order, and ends the call.
func (x *stepper) hangUp(cause string) {
	if r := x.reply; r != nil {
		x.stopReply(ErrHangUp, reasonHangUp)
		x.endReply(replyReturned{reply: r.n, played: Played{Heard: r.lastHeard}})
	}
	for len(x.turns) > 0 {
		t := x.turns[0]
		if t.phase < understood {
			x.do(dropUtterance{t.n})
		}
		if t.reason == "" {
			t.status, t.reason = Cancelled, reasonHangUp
		}
		x.close(t)
	}
	x.ended = true
	x.emit(CallEnded{Cause: cause})
	x.do(hangUp{})
}
