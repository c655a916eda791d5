package realtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/conversation"
)

// MaxEvent is the largest client event that Decode accepts, in bytes.
const MaxEvent = 64 << 10

// maxEventID is the longest event_id a client may give, in characters.
const maxEventID = 512

// Command is what a client event asks for.
type Command struct {
	Type    string               // the event's type
	EventID string               // the client's own id for it; "" when it gave none
	Inputs  []conversation.Input // for the conversation, in order

	// Retrieve is the id of the item the client wants to see; the Encoder answers.
	Retrieve string
	// Response is the response that the client means; "" is the active one.
	Response string
}

// Error is a client event that cannot be carried out; it becomes an `error`
// event. Type, Code and Message are always set.
type Error struct {
	Type    string // "invalid_request_error" or "server_error"
	Code    string
	Message string // one plain sentence
	Param   string // the field at fault, as a dotted path; "" where it is none in particular
	EventID string // the client's event; "" when it gave no id
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("realtime: decode: %s: %s", e.Code, e.Message) }

func invalid(code, param, format string, args ...any) *Error {
	return &Error{Type: "invalid_request_error", Code: code, Param: param, Message: fmt.Sprintf(format, args...)}
}

// clientEvent has the fields of all client events; each type uses some.
type clientEvent struct {
	Type       string          `json:"type"`
	EventID    string          `json:"event_id"`
	Session    json.RawMessage `json:"session"`
	Item       json.RawMessage `json:"item"`
	Previous   *string         `json:"previous_item_id"`
	ItemID     string          `json:"item_id"`
	Response   json.RawMessage `json:"response"`
	ResponseID string          `json:"response_id"`
	DelayMS    *float64        `json:"delay_ms"`
}

// decoder fills a Command from an event of one type.
type decoder func(*clientEvent, *Command) *Error

// Decode reads one client event. The error is an *Error, complete with the
// client's event id where that could be read.
func Decode(raw []byte) (Command, error) {
	if len(raw) > MaxEvent {
		return Command{}, invalid("event_too_large", "", "The event is larger than %d KB; send less at a time.", MaxEvent>>10)
	}
	var ev clientEvent
	if err := json.Unmarshal(raw, &ev); err != nil {
		e := badJSON(err, "")
		e.EventID = ev.EventID
		return Command{}, e
	}
	if len(ev.EventID) > maxEventID {
		return Command{}, invalid("invalid_event_id", "event_id", "The event_id is longer than %d characters.", maxEventID)
	}
	cmd := Command{Type: ev.Type, EventID: ev.EventID}
	decode := decoderFor(ev.Type)
	if e := decode(&ev, &cmd); e != nil {
		e.EventID = ev.EventID
		return Command{}, e
	}
	return cmd, nil
}

// badJSON says in plain words what encoding/json did not like. under is the
// path of the part that was being read.
func badJSON(err error, under string) *Error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		param := strings.Trim(under+"."+wrong.Field, ".")
		return invalid("invalid_type", param, "The field '%s' cannot be a %s.", param, wrong.Value)
	}
	return invalid("invalid_json", under, "The event is not valid JSON; send one JSON object per message.")
}

// decoderFor returns how events of a type are read.
func decoderFor(kind string) decoder {
	switch kind {
	case "session.update":
		return decodeSessionUpdate
	case "conversation.item.create":
		return decodeItemCreate
	case "conversation.item.retrieve":
		return decodeRetrieve
	case "response.create":
		return decodeResponseCreate
	case "parley.playback.heard":
		return decodeHeard
	case "input_audio_buffer.append":
		return unsupported("Send audio on the WebRTC audio track; input_audio_buffer.append is not supported yet.")
	case "conversation.item.truncate":
		return unsupported("The server itself truncates what was not heard; conversation.item.truncate is not supported yet.")
	case "conversation.item.delete", "transcription_session.update":
		return unsupported(kind + " is not supported yet.")
	case "":
		return func(*clientEvent, *Command) *Error {
			return invalid("missing_type", "type", "The event has no type.")
		}
	}
	return decodePlain
}

// decodePlain reads the events that say all by their type.
func decodePlain(ev *clientEvent, cmd *Command) *Error {
	var in conversation.Input
	switch ev.Type {
	case "input_audio_buffer.commit":
		in = conversation.Commit{Ref: ev.EventID}
	case "input_audio_buffer.clear":
		in = conversation.ClearInput{Ref: ev.EventID}
	case "output_audio_buffer.clear":
		in = conversation.ClearOutput{Ref: ev.EventID}
	case "response.cancel":
		in, cmd.Response = conversation.CancelReply{Ref: ev.EventID}, ev.ResponseID
	case "parley.talk.start":
		in = conversation.Press{Ref: ev.EventID}
	case "parley.talk.stop":
		in = conversation.Release{Ref: ev.EventID}
	default:
		return invalid("unknown_event", "type", "There is no client event of the type %s.", quoted(ev.Type))
	}
	cmd.Inputs = []conversation.Input{in}
	return nil
}

func unsupported(message string) decoder {
	return func(*clientEvent, *Command) *Error {
		return invalid("unsupported_event", "type", "%s", message)
	}
}

func decodeSessionUpdate(ev *clientEvent, cmd *Command) *Error {
	if isAbsent(ev.Session) {
		return invalid("missing_field", "session", "session.update needs a session.")
	}
	patch, e := decodeSession(ev.Session)
	if e != nil {
		return e
	}
	cmd.Inputs = []conversation.Input{conversation.Configure{Patch: patch, Ref: ev.EventID}}
	return nil
}

func decodeRetrieve(ev *clientEvent, cmd *Command) *Error {
	if ev.ItemID == "" {
		return invalid("missing_field", "item_id", "conversation.item.retrieve needs an item_id.")
	}
	cmd.Retrieve = ev.ItemID
	return nil
}

// decodeItemCreate reads a message the user wrote. The server names items
// itself: an id given by the client is not taken over.
func decodeItemCreate(ev *clientEvent, cmd *Command) *Error {
	var item struct {
		Type    string `json:"type"`
		Role    string `json:"role"`
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
	}
	if isAbsent(ev.Item) {
		return invalid("missing_field", "item", "conversation.item.create needs an item.")
	}
	if err := json.Unmarshal(ev.Item, &item); err != nil {
		return badJSON(err, "item")
	}
	switch {
	case ev.Previous != nil:
		return invalid("unsupported_parameter", "previous_item_id", "Items can only be added at the end; leave previous_item_id out.")
	case item.Type != "message":
		return invalid("unsupported_item", "item.type", "Only items of the type 'message' are supported yet, not %s.", quoted(item.Type))
	case item.Role != "user":
		return invalid("unsupported_item", "item.role", "Only messages of the role 'user' are supported yet, not %s.", quoted(item.Role))
	}
	var text []string
	for i, part := range item.Content {
		if part.Type != "input_text" {
			return invalid("unsupported_item", fmt.Sprintf("item.content[%d].type", i),
				"Only content of the type 'input_text' is supported yet, not %s.", quoted(part.Type))
		}
		if t := strings.TrimSpace(part.Text); t != "" {
			text = append(text, t)
		}
	}
	if len(text) == 0 {
		return invalid("empty_item", "item.content", "The message holds no text.")
	}
	cmd.Inputs = []conversation.Input{conversation.AddText{Text: strings.Join(text, "\n"), Ref: ev.EventID}}
	return nil
}

// decodeResponseCreate refuses what would make a wholly different response;
// fields that only tune it are taken from the session.
func decodeResponseCreate(ev *clientEvent, cmd *Command) *Error {
	var r struct {
		Instructions string          `json:"instructions"`
		Conversation string          `json:"conversation"`
		Input        json.RawMessage `json:"input"`
	}
	if !isAbsent(ev.Response) {
		if err := json.Unmarshal(ev.Response, &r); err != nil {
			return badJSON(err, "response")
		}
	}
	if r.Conversation != "" && r.Conversation != "auto" {
		return invalid("unsupported_parameter", "response.conversation", "A response outside the conversation is not supported yet.")
	}
	if !isAbsent(r.Input) {
		return invalid("unsupported_parameter", "response.input", "A response to input of its own is not supported yet.")
	}
	if len(r.Instructions) > conversation.MaxInstructions {
		return invalid("invalid_value", "response.instructions", "The instructions are longer than %d KB.", conversation.MaxInstructions>>10)
	}
	cmd.Inputs = []conversation.Input{conversation.CreateReply{Instructions: r.Instructions, Ref: ev.EventID}}
	return nil
}

// The delays a client may report, in milliseconds; beyond them its clock is wrong.
const (
	minHeardMS = -10_000
	maxHeardMS = 60_000
)

func decodeHeard(ev *clientEvent, cmd *Command) *Error {
	n, ok := replyNumber(ev.ResponseID)
	if !ok {
		return invalid("invalid_value", "response_id", "There is no response %s.", quoted(ev.ResponseID))
	}
	if ev.DelayMS == nil || *ev.DelayMS < minHeardMS || *ev.DelayMS > maxHeardMS {
		return invalid("invalid_value", "delay_ms", "delay_ms must be between %d and %d.", minHeardMS, maxHeardMS)
	}
	delay := time.Duration(*ev.DelayMS * float64(time.Millisecond))
	cmd.Inputs = []conversation.Input{conversation.Heard{Reply: n, Delay: delay}}
	cmd.Response = ev.ResponseID
	return nil
}

// replyNumber reads N from resp_<call>_<N>.
func replyNumber(id string) (int, bool) {
	rest, ok := strings.CutPrefix(id, "resp_")
	cut := strings.LastIndexByte(rest, '_')
	if !ok || cut < 0 {
		return 0, false
	}
	n, err := strconv.Atoi(rest[cut+1:])
	return n, err == nil && n > 0
}

func isAbsent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// quoted shows a client's string back to it, cut short.
func quoted(s string) string {
	const limit = 64
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return strconv.Quote(s)
}
