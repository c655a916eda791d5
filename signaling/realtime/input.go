package realtime

import "parley/conversation"

// encodeInput handles the events about the caller's half of a turn and tells
// whether ev was one of them.
func (e *Encoder) encodeInput(ev conversation.Event) bool {
	switch ev := ev.(type) {
	case conversation.SpeechStarted:
		t := e.turn(ev.Turn)
		t.closed = false
		e.emit("input_audio_buffer.speech_started", &startedEvent{StartMS: ev.Media.Milliseconds(), ItemID: t.itemID})
	case conversation.SpeechStopped:
		t := e.turn(ev.Turn)
		e.emit("input_audio_buffer.speech_stopped", &stoppedEvent{EndMS: ev.Media.Milliseconds(), ItemID: t.itemID})
	case conversation.InputDiscarded:
		e.inputDiscarded(ev)
	case conversation.InputCommitted:
		e.inputCommitted(ev)
	case conversation.TextReceived:
		t := e.turn(ev.Turn)
		t.committed = true
		e.addItem(&entry{id: t.itemID, role: "user", status: statusCompleted, kind: kindInputText, text: &ev.Text}, true)
	case conversation.Transcribed:
		e.transcribed(ev)
	default:
		return false
	}
	return true
}

// inputDiscarded takes back what was announced: the item where it is in the
// conversation already, otherwise the speech that was to become one.
func (e *Encoder) inputDiscarded(ev conversation.InputDiscarded) {
	t := e.turn(ev.Turn)
	t.closed = true
	t.final, t.failed = nil, nil
	if t.committed {
		t.committed = false
		e.items.remove(t.itemID)
		e.emit("conversation.item.deleted", &deletedEvent{ItemID: t.itemID})
		return
	}
	e.emit("input_audio_buffer.cleared", &plainEvent{})
}

func (e *Encoder) inputCommitted(ev conversation.InputCommitted) {
	t := e.turn(ev.Turn)
	if t.committed {
		return
	}
	t.closed, t.committed = true, true
	e.emit("input_audio_buffer.committed", &committedEvent{Previous: e.items.last(), ItemID: t.itemID})
	e.addItem(&entry{id: t.itemID, role: "user", status: statusCompleted, kind: kindInputAudio}, true)
	if t.final != nil {
		e.transcriptCompleted(t, *t.final)
	}
	if t.failed != nil {
		e.transcriptFailed(t)
	}
}

// transcribed holds a final transcript back until its item is in the
// conversation: clients ask for the item as soon as they see it.
func (e *Encoder) transcribed(ev conversation.Transcribed) {
	t := e.turn(ev.Turn)
	switch {
	case !ev.Final:
		e.emit("parley.transcript.partial", &partialEvent{ItemID: t.itemID, Transcript: ev.Text})
	case t.committed:
		e.transcriptCompleted(t, ev)
	default:
		t.final = &ev
	}
}

func (e *Encoder) transcriptCompleted(t *userTurn, ev conversation.Transcribed) {
	t.final = nil
	if entry := e.items.find(t.itemID); entry != nil {
		entry.text = &ev.Text
	}
	if ev.Text != "" {
		e.emit("conversation.item.input_audio_transcription.delta", &transcriptDelta{ItemID: t.itemID, Delta: ev.Text})
	}
	e.emit("conversation.item.input_audio_transcription.completed", &transcriptCompleted{
		ItemID: t.itemID, Transcript: ev.Text,
		Usage: durationUsage{Type: "duration", Seconds: ev.Audio.Seconds()},
	})
}

func (e *Encoder) transcriptFailed(t *userTurn) {
	e.emit("conversation.item.input_audio_transcription.failed", &transcriptFailed{ItemID: t.itemID, Error: *t.failed})
	t.failed = nil
}
