package conversation

import (
	"strings"
	"time"

	"parley/internal/fault"
	"parley/internal/timeline"
)

func (x *stepper) takeHearing(in Input) {
	switch in := in.(type) {
	case speechBegan:
		if x.session.Mode == HandsFree && x.listening() == nil {
			x.begin(inputSpeech, in.media, in.arrived)
		}
	case speechEnded:
		if t := x.listening(); t != nil && (t.input == inputSpeech || in.forced) {
			x.endpoint(t, in.media, in.arrived)
		}
	case Press:
		x.press(in)
	case Release:
		if t := x.pressed(in.Ref); t != nil {
			t.answer = true
			x.awaitTail(t)
		}
	case Commit:
		x.commit(in)
	case ClearInput:
		if t := x.listening(); t != nil {
			x.discard(t, reasonCleared)
		}
	case tailEnded:
		if t := x.turnIn(in.turn, tailing); t != nil {
			x.endpoint(t, in.media, in.arrived)
		}
	case transcribed:
		x.understand(in)
	case transcriptionFailed:
		x.misunderstand(in)
	}
}

// fromNow, as the start of an utterance, asks for the prefix before this moment.
const fromNow = time.Duration(-1)

// begin opens a turn at media time media, whose first packet arrived at `at`.
func (x *stepper) begin(input string, media time.Duration, at time.Time) {
	x.resume = ""
	if x.session.Interrupt || input == inputButton {
		x.owed = x.owed || x.unheard()
		x.giveWay()
	}
	t := x.openTurn(input, x.now)
	t.line.Set(timeline.SpeechStarted, at)
	t.answer = input == inputButton || x.session.AutoReply
	x.do(openUtterance{turn: t.n, from: media})
	x.emit(SpeechStarted{Turn: t.n, Media: max(0, media)})
	x.limitTurns()
}

// unheard tells whether an answer is on its way of which nothing was heard yet.
func (x *stepper) unheard() bool {
	for _, t := range x.turns {
		if t.answer && t.input != inputTimer {
			return true
		}
	}
	r := x.reply
	return r != nil && !r.stopped && !r.started
}

// limitTurns gives up on the oldest turns when too many wait for their words.
func (x *stepper) limitTurns() {
	for len(x.turns) > maxOpenTurns {
		t := x.turns[0]
		if x.reply != nil && x.reply.turn == t { // it ends with its reply
			t = x.turns[1]
		}
		if t.phase < understood {
			x.do(dropUtterance{t.n})
		}
		t.status, t.reason = Failed, string(fault.Overloaded)
		x.close(t)
	}
}

func (x *stepper) press(in Press) {
	if x.session.Mode != PushToTalk {
		x.refuse("invalid_state", "Push-to-talk is off; switch the session to push-to-talk first.", in.Ref)
		return
	}
	if x.listening() != nil {
		x.refuse("invalid_state", "The talk button is down already.", in.Ref)
		return
	}
	x.begin(inputButton, fromNow, x.now)
}

// pressed finds the turn the button holds open.
func (x *stepper) pressed(ref string) *turn {
	t := x.listening()
	if t == nil || t.input != inputButton || t.phase != hearing {
		x.refuse("input_audio_buffer_commit_empty", "The talk button was not down, so there is nothing to end.", ref)
		return nil
	}
	return t
}

func (x *stepper) commit(in Commit) {
	if x.session.Mode != PushToTalk {
		x.refuse("invalid_state", "Turns are detected by voice; switch turn detection off to commit by hand.", in.Ref)
		return
	}
	if x.listening() == nil { // what the ring holds is what there is
		x.begin(inputButton, fromNow, x.now)
	}
	if t := x.pressed(in.Ref); t != nil {
		t.answer = false
		x.awaitTail(t)
	}
}

func (x *stepper) awaitTail(t *turn) {
	t.phase = tailing
	t.line.Set(timeline.SpeechEnded, x.now)
	x.do(awaitTail{t.n})
}

// endpoint ends the caller's turn.
func (x *stepper) endpoint(t *turn, media time.Duration, lastSpeech time.Time) {
	if lastSpeech.IsZero() || lastSpeech.After(x.now) {
		lastSpeech = x.now
	}
	t.phase = transcribing
	t.line.Set(timeline.SpeechEnded, lastSpeech)
	t.line.Set(timeline.EndpointDecided, x.now)
	x.do(closeUtterance{t.n})
	x.emit(SpeechStopped{Turn: t.n, Media: media})
	x.emit(InputCommitted{Turn: t.n})
}

func (x *stepper) understand(in transcribed) {
	text := strings.TrimSpace(in.result.Text)
	if !in.result.Final {
		if t := x.turnIn(in.turn, hearing, tailing, transcribing); t != nil && text != "" && text != t.text {
			t.text = text
			x.emit(Transcribed{Turn: t.n, Text: text, Language: in.result.Language})
		}
		return
	}
	t := x.turnIn(in.turn, transcribing)
	if t == nil {
		return
	}
	t.phase, t.text = understood, text
	t.line.Set(timeline.STTFinal, x.now)
	if text == "" {
		x.nothingSaid(t, in.voiced)
		return
	}
	x.resume, x.owed = "", x.owed && !t.answer // its answer covers what is owed
	x.emit(Transcribed{
		Turn: t.n, Text: text, Final: true, Audio: in.audio,
		Language: in.result.Language, Confidence: in.result.Confidence,
	})
}

// nothingSaid decides about a turn without words: go on with the reply a cough
// had stopped, say that nothing was caught, or let it pass.
func (x *stepper) nothingSaid(t *turn, voiced time.Duration) {
	x.emit(InputDiscarded{Turn: t.n, Reason: reasonNoSpeech})
	rest, owed := x.resume, x.owed
	x.resume, x.owed = "", false
	switch {
	case !t.answer:
		t.status, t.reason = Cancelled, reasonNoSpeech
	case owed: // what the caller asked before is answered after all
		t.reason = reasonNoSpeech
	case t.input == inputButton || (rest == "" && voiced >= catchable):
		t.fixed, t.reason = sayAgain, reasonNoSpeech
	case rest != "":
		t.fixed, t.reason = rest, reasonNoSpeech
	default:
		t.answer = false
		t.status, t.reason = Cancelled, reasonNoSpeech
	}
}

func (x *stepper) misunderstand(in transcriptionFailed) {
	t := x.turnIn(in.turn, hearing, tailing, transcribing)
	if t == nil {
		return
	}
	kind := fault.KindOf(in.err)
	spoken := apology(StageSTT, kind)
	x.emit(StageFailed{Turn: t.n, Stage: StageSTT, Kind: kind, Err: in.err, Spoken: spoken})
	if t.phase < transcribing {
		x.endpoint(t, 0, x.now)
	}
	t.phase, t.text = understood, ""
	t.status, t.reason, t.fixed = Failed, "stt_"+string(kind), spoken
}

func (x *stepper) discard(t *turn, reason string) {
	x.do(dropUtterance{t.n})
	x.emit(InputDiscarded{Turn: t.n, Reason: reason})
	t.text, t.answer = "", false
	t.status, t.reason = Cancelled, reason
	x.close(t)
}
