package realtime

import (
	"fmt"
	"time"

	"parley/conversation"
	"parley/internal/fault"
)

// keepTurns is how many past turns an Encoder remembers, for what comes late:
// a transcript, a timeline mark, the end of playback.
const keepTurns = 16

// Encoder turns the events of one call into server events. It tolerates gaps
// in the stream: what was opened is closed once, whatever was lost between.
type Encoder struct {
	call    string
	names   Names
	session conversation.Session
	events  uint64
	items   history
	turns   map[int]*userTurn
	replies []*reply // in the order they began; the last may be active
	out     [][]byte // the events of the call to Encode that is running
}

// userTurn is what the wire knows of the caller's half of a turn.
type userTurn struct {
	itemID    string
	closed    bool // committed or discarded
	committed bool
	final     *conversation.Transcribed // arrived before the item was in the conversation
	failed    *partError                // likewise
	ended     *turnEvent
}

// NewEncoder makes an Encoder for a call; its id is part of every id on the wire.
func NewEncoder(call string, names Names) *Encoder {
	return &Encoder{call: call, names: names, turns: map[int]*userTurn{}}
}

// Encode returns the server events that follow from env, in order, one JSON
// object each. The caller owns them.
func (e *Encoder) Encode(env conversation.Envelope) [][]byte {
	switch ev := env.Event.(type) {
	case conversation.CallStarted:
		e.callStarted(ev)
	case conversation.SessionChanged:
		e.session = ev.Session
		e.emit("session.updated", &sessionEvent{Session: makeSession(e.call, ev.Session, e.names)})
	case conversation.Refused:
		e.error(&Error{Code: ev.Code, Message: ev.Message, EventID: ev.Ref})
	case conversation.StageFailed:
		e.stageFailed(ev)
	case conversation.TurnEnded:
		e.turnEnded(ev)
	case conversation.TimelineChanged:
		e.timelineChanged(ev)
	case conversation.TimerSet:
		e.emit("parley.timer", &timerEvent{State: "set", Label: ev.Label, Due: ev.Due.UTC().Format(time.RFC3339Nano)})
	case conversation.TimerRang:
		e.emit("parley.timer", &timerEvent{State: "rang", Label: ev.Label})
	case conversation.CallEnded:
		e.callEnded(ev)
	default:
		if !e.encodeInput(env.Event) {
			e.encodeReply(env.Event)
		}
	}
	return e.take()
}

// Error returns the `error` event for a client event that was refused.
func (e *Encoder) Error(err *Error) [][]byte {
	e.error(err)
	return e.take()
}

// Retrieve answers conversation.item.retrieve; ref is the client's event id.
func (e *Encoder) Retrieve(itemID, ref string) [][]byte {
	if entry := e.items.find(itemID); entry != nil {
		e.emit("conversation.item.retrieved", &retrievedEvent{Item: entry.wire()})
	} else {
		e.error(&Error{Code: "item_not_found", Param: "item_id", EventID: ref,
			Message: fmt.Sprintf("There is no item %s.", quoted(itemID))})
	}
	return e.take()
}

// Cleared answers input_audio_buffer.clear where nothing was being heard. Where
// something was, it returns nil: InputDiscarded follows from the conversation.
func (e *Encoder) Cleared() [][]byte {
	for _, t := range e.turns {
		if !t.closed {
			return nil
		}
	}
	e.emit("input_audio_buffer.cleared", &plainEvent{})
	return e.take()
}

// Replay returns what a client needs that joins a call under way: the session,
// and each item of the conversation as added and, where it is complete, done.
func (e *Encoder) Replay() [][]byte {
	e.emit("session.updated", &sessionEvent{Session: makeSession(e.call, e.session, e.names)})
	var previous *string
	for _, entry := range e.items.entries {
		if entry.hidden() {
			continue
		}
		e.emit("conversation.item.added", &itemEvent{Previous: previous, Item: entry.wire()})
		if entry.status != statusInProgress {
			e.emit("conversation.item.done", &itemEvent{Previous: previous, Item: entry.wire()})
		}
		previous = &entry.id
	}
	return e.take()
}

// ActiveResponse is the id of the response in the making or being spoken, or "".
func (e *Encoder) ActiveResponse() string {
	if r := e.active(); r != nil {
		return r.id
	}
	return ""
}

func (e *Encoder) emit(kind string, ev event) {
	e.events++
	ev.stamp(kind, fmt.Sprintf("event_%s_%d", e.call, e.events))
	e.out = append(e.out, mustJSON(ev))
}

func (e *Encoder) take() [][]byte {
	out := e.out
	e.out = nil
	return out
}

func (e *Encoder) error(err *Error) {
	w := wireError{Type: err.Type, Code: err.Code, Message: err.Message}
	if w.Type == "" {
		w.Type = "invalid_request_error"
	}
	if err.Param != "" {
		w.Param = &err.Param
	}
	if err.EventID != "" {
		w.EventID = &err.EventID
	}
	e.emit("error", &errorEvent{Error: w})
}

func (e *Encoder) callStarted(ev conversation.CallStarted) {
	e.session = ev.Session
	e.emit("session.created", &sessionEvent{Session: makeSession(e.call, ev.Session, e.names)})
	var created conversationEvent
	created.Conversation.ID, created.Conversation.Object = e.conversationID(), "realtime.conversation"
	e.emit("conversation.created", &created)
}

func (e *Encoder) conversationID() string { return "conv_" + e.call }

func (e *Encoder) callEnded(ev conversation.CallEnded) {
	for _, r := range e.replies {
		if !r.ended {
			e.endReply(r, conversation.ReplyEnded{Turn: r.turn, Reply: r.number,
				Status: conversation.Cancelled, Reason: ev.Cause, Generated: r.text.String(), Heard: r.heard})
		}
		if r.playing {
			e.stopPlayback(r, true)
		}
	}
	e.emit("parley.bye", &byeEvent{Reason: ev.Cause})
}

// turn returns the caller's half of turn n, which is made where it is new.
func (e *Encoder) turn(n int) *userTurn {
	t := e.turns[n]
	if t == nil {
		t = &userTurn{itemID: fmt.Sprintf("item_%s_u%d", e.call, n), closed: true}
		e.turns[n] = t
		for old := range e.turns {
			if old <= n-keepTurns {
				delete(e.turns, old)
			}
		}
	}
	return t
}

func (e *Encoder) turnEnded(ev conversation.TurnEnded) {
	ended := &turnEvent{
		Turn: ev.Turn, Status: string(ev.Status), Reason: ev.Reason, Input: ev.Input,
		User: ev.User, Heard: ev.Heard, Timeline: ev.Timeline,
	}
	t := e.turn(ev.Turn)
	t.closed, t.ended = true, ended
	e.emit("parley.turn", ended)
}

// timelineChanged repeats the end of a turn with the marks it has now. A turn
// that has not ended says nothing yet: its end brings all marks.
func (e *Encoder) timelineChanged(ev conversation.TimelineChanged) {
	if t := e.turns[ev.Turn]; t != nil && t.ended != nil {
		t.ended.Timeline = ev.Timeline
		e.emit("parley.turn", t.ended)
	}
}

func (e *Encoder) stageFailed(ev conversation.StageFailed) {
	if ev.Kind == fault.Canceled {
		return
	}
	message := ev.Spoken
	if message == "" {
		message = failureSentence(ev.Stage, ev.Kind)
	}
	e.emit("parley.notice", &noticeEvent{Stage: string(ev.Stage), Kind: string(ev.Kind), Message: message})
	if ev.Stage != conversation.StageSTT {
		return
	}
	t := e.turn(ev.Turn)
	t.failed = &partError{Type: "server_error", Code: string(ev.Kind), Message: message}
	if t.committed {
		e.transcriptFailed(t)
	}
}

// failureSentence says that a part failed, for when nothing is said about it.
func failureSentence(stage conversation.Stage, kind fault.Kind) string {
	part := "assistant"
	switch stage {
	case conversation.StageSTT:
		part = "speech recognition"
	case conversation.StageLLM:
		part = "language model"
	case conversation.StageTTS:
		part = "voice"
	}
	what := "failed"
	switch kind {
	case fault.Unreachable:
		what = "cannot be reached"
	case fault.Unauthorized:
		what = "did not accept the key"
	case fault.RateLimited, fault.Overloaded:
		what = "is too busy"
	case fault.Stalled:
		what = "did not answer in time"
	case fault.Misconfigured:
		what = "is not set up"
	case fault.BadInput:
		what = "could not use what it was given"
	}
	return fmt.Sprintf("The %s %s.", part, what)
}
