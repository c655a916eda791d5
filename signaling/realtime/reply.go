package realtime

import (
	"fmt"
	"strings"
	"time"

	"parley/conversation"
)

// reply is what the wire knows of one response. It has at most one item, of
// one content part, which are opened by its first text or audio.
type reply struct {
	number, turn int
	id, itemID   string
	speak        bool
	text         strings.Builder
	heard        string
	item         *entry // nil until opened
	previous     *string
	playing      bool // output_audio_buffer.started was sent, and no end of it
	drained      bool // playback ended while the response was open: stopped is due after response.done
	ended        bool
}

// encodeReply handles the events about the assistant's half of a turn.
func (e *Encoder) encodeReply(ev conversation.Event) {
	switch ev := ev.(type) {
	case conversation.ReplyStarted:
		e.replyStarted(ev)
	case conversation.ReplyText:
		if r := e.open(ev.Reply); r != nil {
			r.text.WriteString(ev.Delta)
			text := r.text.String()
			r.item.text = &text
			e.emit(r.kind(".delta"), r.partEvent(func(p *partEvent) { p.Delta = &ev.Delta }))
		}
	case conversation.ReplyTextDone:
		if r := e.open(ev.Reply); r != nil {
			r.text.Reset()
			r.text.WriteString(ev.Text)
		}
	case conversation.PlaybackStarted:
		if r := e.open(ev.Reply); r != nil && !r.playing {
			r.playing = true
			e.emit("output_audio_buffer.started", &playbackEvent{ResponseID: r.id})
		}
	case conversation.PlaybackProgress:
		if r := e.reply(ev.Reply); r != nil {
			r.heard = ev.Heard
			e.emitHeard(r, ev.Position)
		}
	case conversation.PlaybackStopped:
		e.playbackStopped(ev)
	case conversation.ReplyEnded:
		if r := e.reply(ev.Reply); r != nil && !r.ended {
			e.endReply(r, ev)
		}
	}
}

func (e *Encoder) replyStarted(ev conversation.ReplyStarted) {
	if r := e.active(); r != nil { // its end was lost
		e.endReply(r, conversation.ReplyEnded{Status: conversation.Cancelled, Reason: "client_cancelled",
			Generated: r.text.String(), Heard: r.heard})
	}
	r := &reply{
		number: ev.Reply, turn: ev.Turn, speak: e.session.Speak,
		id:     fmt.Sprintf("resp_%s_%d", e.call, ev.Reply),
		itemID: fmt.Sprintf("item_%s_a%d", e.call, ev.Reply),
	}
	e.replies = append(e.replies, r)
	if len(e.replies) > keepTurns {
		e.replies = append([]*reply(nil), e.replies[1:]...)
	}
	e.emit("response.created", &responseEvent{Response: e.response(r, statusInProgress)})
}

// reply finds a response by its number.
func (e *Encoder) reply(n int) *reply {
	for _, r := range e.replies {
		if r.number == n {
			return r
		}
	}
	return nil
}

// active returns the response that has not ended, or nil.
func (e *Encoder) active() *reply {
	if n := len(e.replies); n > 0 && !e.replies[n-1].ended {
		return e.replies[n-1]
	}
	return nil
}

// open finds a response that has not ended, and opens its item and part.
func (e *Encoder) open(n int) *reply {
	r := e.reply(n)
	if r == nil || r.ended {
		return nil
	}
	if r.item != nil {
		return r
	}
	r.item = &entry{id: r.itemID, role: "assistant", status: statusInProgress, kind: kindOutputText}
	if r.speak {
		r.item.kind = kindOutputAudio
	}
	r.previous = e.items.last()
	e.emit("response.output_item.added", &outputItemEvent{ResponseID: r.id, Item: r.item.wire()})
	e.addItem(r.item, false)
	e.emit("response.content_part.added", r.partEvent(func(p *partEvent) { p.Part = r.part("") }))
	return r
}

// endReply closes whatever is open of r, in the order of the protocol.
func (e *Encoder) endReply(r *reply, ev conversation.ReplyEnded) {
	r.ended = true
	text := ev.Generated
	if text == "" {
		text = r.text.String()
	}
	if r.item != nil {
		e.closeItem(r, text, ev.Status)
	}
	done := e.response(r, string(ev.Status))
	done.Details, done.Usage = details(ev), &usage{}
	if r.item != nil {
		done.Output = append(done.Output, r.item.wire())
	}
	e.emit("response.done", &responseEvent{Response: done})
	if r.drained {
		e.stopPlayback(r, false)
	}
	if r.item != nil && r.speak && ev.Status != conversation.Completed && ev.Heard != text {
		r.heard = ev.Heard
		r.item.text = &ev.Heard
		e.emitHeard(r, ev.Played)
		e.emit("conversation.item.truncated", &truncatedEvent{ItemID: r.itemID, AudioEndMS: ev.Played.Milliseconds()})
	}
}

func (e *Encoder) closeItem(r *reply, text string, status conversation.Status) {
	r.item.text, r.item.status = &text, statusCompleted
	if status != conversation.Completed {
		r.item.status = statusIncomplete
	}
	if r.speak {
		e.emit("response.output_audio.done", r.partEvent(func(*partEvent) {}))
		e.emit(r.kind(".done"), r.partEvent(func(p *partEvent) { p.Transcript = &text }))
	} else {
		e.emit(r.kind(".done"), r.partEvent(func(p *partEvent) { p.Text = &text }))
	}
	e.emit("response.content_part.done", r.partEvent(func(p *partEvent) { p.Part = r.part(text) }))
	e.emit("response.output_item.done", &outputItemEvent{ResponseID: r.id, Item: r.item.wire()})
	e.emit("conversation.item.done", &itemEvent{Previous: r.previous, Item: r.item.wire()})
}

// playbackStopped reports a flush at once; a drained playback is reported only
// after response.done, as clients expect.
func (e *Encoder) playbackStopped(ev conversation.PlaybackStopped) {
	r := e.reply(ev.Reply)
	switch {
	case r == nil || !r.playing:
	case ev.Flushed || r.ended:
		e.stopPlayback(r, ev.Flushed)
	default:
		r.drained = true
	}
}

func (e *Encoder) stopPlayback(r *reply, flushed bool) {
	kind := "output_audio_buffer.stopped"
	if flushed {
		kind = "output_audio_buffer.cleared"
	}
	r.playing, r.drained = false, false
	e.emit(kind, &playbackEvent{ResponseID: r.id})
}

func (e *Encoder) emitHeard(r *reply, position time.Duration) {
	e.emit("parley.heard", &heardEvent{ResponseID: r.id, ItemID: r.itemID,
		Transcript: r.heard, PositionMS: position.Milliseconds()})
}

func (e *Encoder) response(r *reply, status string) response {
	return response{
		Object: "realtime.response", ID: r.id, Status: status, Output: []item{},
		ConversationID: e.conversationID(), Modalities: modalities(r.speak), MaxTokens: "inf",
	}
}

// details explains a response that was not completed.
func details(ev conversation.ReplyEnded) *statusDetails {
	switch ev.Status {
	case conversation.Cancelled:
		return &statusDetails{Type: "cancelled", Reason: ev.Reason}
	case conversation.Failed:
		code := ev.Reason
		if code == "" {
			code = "failed"
		}
		return &statusDetails{Type: "failed", Error: &responseError{Type: "server_error", Code: code}}
	}
	return nil
}

// kind names the events about the text of r: its transcript, or the text itself.
func (r *reply) kind(suffix string) string {
	if r.speak {
		return "response.output_audio_transcript" + suffix
	}
	return "response.output_text" + suffix
}

func (r *reply) partEvent(fill func(*partEvent)) *partEvent {
	p := &partEvent{ResponseID: r.id, ItemID: r.itemID}
	fill(p)
	return p
}

func (r *reply) part(text string) *part {
	if r.speak {
		return &part{Type: "audio", Transcript: &text}
	}
	return &part{Type: "text", Text: &text}
}
