package realtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/conversation"
)

func TestDecode(t *testing.T) {
	handsFree, hold := conversation.HandsFree, conversation.PushToTalk
	yes, no := true, false
	brief, lang, threshold := "Be brief.", "de-CH", 0.7
	silence, prefix := 250*time.Millisecond, 100*time.Millisecond
	configure := func(p conversation.SessionPatch) conversation.Input {
		return conversation.Configure{Patch: p, Ref: "e1"}
	}
	for _, tt := range []struct {
		raw  string // type and the fields that follow it
		want conversation.Input
	}{
		{`input_audio_buffer.commit"`, conversation.Commit{Ref: "e1"}},
		{`input_audio_buffer.clear"`, conversation.ClearInput{Ref: "e1"}},
		{`output_audio_buffer.clear"`, conversation.ClearOutput{Ref: "e1"}},
		{`response.cancel"`, conversation.CancelReply{Ref: "e1"}},
		{`response.create"`, conversation.CreateReply{Ref: "e1"}},
		{`response.create","response":null`, conversation.CreateReply{Ref: "e1"}},
		{`response.create","response":{"instructions":"Rhyme.","conversation":"auto","metadata":{"a":"b"}}`, conversation.CreateReply{Instructions: "Rhyme.", Ref: "e1"}},
		{`parley.talk.start"`, conversation.Press{Ref: "e1"}},
		{`parley.talk.stop"`, conversation.Release{Ref: "e1"}},
		{`parley.playback.heard","response_id":"resp_c_12","delay_ms":30.5`, conversation.Heard{Reply: 12, Delay: 30500 * time.Microsecond}},
		{`conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":" Hi. "},{"type":"input_text","text":"You?"}]}`, conversation.AddText{Text: "Hi.\nYou?", Ref: "e1"}},
		{`session.update","session":{}`, configure(conversation.SessionPatch{})},
		{`session.update","session":{"type":"realtime","tracing":"auto","model":"gpt-realtime","tools":[{"type":"function","name":"x"}],"audio":{"output":{"voice":"marin","speed":1}}}`, configure(conversation.SessionPatch{})},
		{`session.update","session":{"instructions":"Be brief.","output_modalities":["text"],"audio":{"input":{"transcription":{"model":"whisper-1","language":"de-CH"}}}}`,
			configure(conversation.SessionPatch{Instructions: &brief, Speak: &no, Language: &lang})},
		{`session.update","session":{"audio":{"input":{"turn_detection":null,"transcription":null,"noise_reduction":null}}}`, configure(conversation.SessionPatch{Mode: &hold})},
		{`session.update","session":{"audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"auto","interrupt_response":true}}}}`,
			configure(conversation.SessionPatch{Mode: &handsFree, Interrupt: &yes})},
		{`session.update","session":{"output_modalities":["audio"],"audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.7,"prefix_padding_ms":100,"silence_duration_ms":250,"create_response":false,"interrupt_response":true,"idle_timeout_ms":null}}}}`,
			configure(conversation.SessionPatch{Mode: &handsFree, Speak: &yes, Threshold: &threshold, Prefix: &prefix, Silence: &silence, AutoReply: &no, Interrupt: &yes})},
	} {
		t.Run(tt.raw, func(t *testing.T) {
			cmd, err := Decode([]byte(`{"event_id":"e1","type":"` + tt.raw + `}`))
			if err != nil {
				t.Fatal(err)
			}
			if cmd.EventID != "e1" || len(cmd.Inputs) != 1 || !reflect.DeepEqual(cmd.Inputs[0], tt.want) {
				t.Errorf("got %+v, want %+v", cmd, tt.want)
			}
		})
	}
}

func TestDecodeRefers(t *testing.T) {
	cmd, err := Decode([]byte(`{"type":"conversation.item.retrieve","item_id":"item_c_u1"}`))
	if err != nil || cmd.Retrieve != "item_c_u1" || len(cmd.Inputs) != 0 {
		t.Errorf("retrieve: got %+v, %v", cmd, err)
	}
	cmd, err = Decode([]byte(`{"type":"response.cancel","response_id":"resp_c_3"}`))
	if err != nil || cmd.Response != "resp_c_3" {
		t.Errorf("cancel: got %+v, %v", cmd, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat("[", 60_000)
	for _, tt := range []struct{ raw, code, param string }{
		{``, "invalid_json", ""},
		{`[]`, "invalid_type", ""},
		{`"x"`, "invalid_type", ""},
		{`{"type":"session.update","session":` + deep, "invalid_json", ""},
		{`{"type":"session.update","session":{"a":` + strings.Repeat("[", 9990) + strings.Repeat("]", 9990) + `}}`, "", ""}, // valid, unknown field
		{`{"type":"a"` + strings.Repeat(" ", MaxEvent) + `}`, "event_too_large", ""},
		{`{}`, "missing_type", "type"},
		{`{"type":7}`, "invalid_type", "type"},
		{`{"type":"no.such.event"}`, "unknown_event", "type"},
		{`{"type":"` + strings.Repeat("x", 500) + `"}`, "unknown_event", "type"},
		{`{"type":"response.cancel","event_id":"` + strings.Repeat("x", 513) + `"}`, "invalid_event_id", "event_id"},
		{`{"type":"input_audio_buffer.append","audio":"AAAA"}`, "unsupported_event", "type"},
		{`{"type":"conversation.item.truncate","item_id":"x"}`, "unsupported_event", "type"},
		{`{"type":"conversation.item.delete","item_id":"x"}`, "unsupported_event", "type"},
		{`{"type":"conversation.item.retrieve"}`, "missing_field", "item_id"},
		{`{"type":"conversation.item.create"}`, "missing_field", "item"},
		{`{"type":"conversation.item.create","item":[]}`, "invalid_type", "item"},
		{`{"type":"conversation.item.create","item":{"type":"function_call_output"}}`, "unsupported_item", "item.type"},
		{`{"type":"conversation.item.create","item":{"type":"message","role":"system"}}`, "unsupported_item", "item.role"},
		{`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_audio"}]}}`, "unsupported_item", "item.content[0].type"},
		{`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":" "}]}}`, "empty_item", "item.content"},
		{`{"type":"conversation.item.create","previous_item_id":"root","item":{}}`, "unsupported_parameter", "previous_item_id"},
		{`{"type":"response.create","response":{"conversation":"none"}}`, "unsupported_parameter", "response.conversation"},
		{`{"type":"response.create","response":{"input":[]}}`, "unsupported_parameter", "response.input"},
		{`{"type":"response.create","response":{"instructions":1}}`, "invalid_type", "response.instructions"},
		{`{"type":"response.create","response":{"instructions":"` + strings.Repeat("x", conversation.MaxInstructions+1) + `"}}`, "invalid_value", "response.instructions"},
		{`{"type":"response.create","response":{"instructions":"` + strings.Repeat("x", conversation.MaxInstructions) + `"}}`, "", ""},
		{`{"type":"parley.playback.heard","response_id":"resp_c_1"}`, "invalid_value", "delay_ms"},
		{`{"type":"parley.playback.heard","response_id":"resp_c_1","delay_ms":1e9}`, "invalid_value", "delay_ms"},
		{`{"type":"parley.playback.heard","response_id":"resp_c_x","delay_ms":1}`, "invalid_value", "response_id"},
		{`{"type":"parley.playback.heard","response_id":"c_1","delay_ms":1}`, "invalid_value", "response_id"},
		{`{"type":"session.update"}`, "missing_field", "session"},
		{`{"type":"session.update","session":{"type":"transcription"}}`, "unsupported_parameter", "session.type"},
		{`{"type":"session.update","session":{"output_modalities":["audio","text"]}}`, "invalid_value", "session.output_modalities"},
		{`{"type":"session.update","session":{"instructions":"` + strings.Repeat("x", conversation.MaxInstructions+1) + `"}}`, "invalid_value", "session.instructions"},
		{`{"type":"session.update","session":{"audio":{"input":{"transcription":{"language":"english please"}}}}}`, "invalid_value", "session.audio.input.transcription.language"},
		{`{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"type":"magic"}}}}}`, "invalid_value", "session.audio.input.turn_detection.type"},
		{`{"type":"session.update","session":{"audio":{"input":{"turn_detection":"server_vad"}}}}`, "invalid_type", "session.audio.input.turn_detection"},
		{`{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"type":"server_vad","threshold":2}}}}}`, "invalid_value", "session.audio.input.turn_detection.threshold"},
		{`{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"type":"server_vad","silence_duration_ms":1e300}}}}}`, "invalid_value", "session.audio.input.turn_detection.silence_duration_ms"},
		{`{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"type":"server_vad","prefix_padding_ms":-1}}}}}`, "invalid_value", "session.audio.input.turn_detection.prefix_padding_ms"},
	} {
		t.Run(fmt.Sprintf("%.90s", tt.raw), func(t *testing.T) {
			cmd, err := Decode([]byte(tt.raw))
			var got *Error
			if !errors.As(err, &got) {
				got = &Error{}
			}
			if got.Code != tt.code || got.Param != tt.param || (err != nil) != (tt.code != "") {
				t.Errorf("got %v (param %q), want %s (param %q)", err, got.Param, tt.code, tt.param)
			}
			if err != nil && (len(cmd.Inputs) > 0 || got.Message == "" || len(got.Message) > 300) {
				t.Errorf("got inputs %v and message %q", cmd.Inputs, got.Message)
			}
		})
	}
}

func TestDecodeErrorNamesTheEvent(t *testing.T) {
	for _, raw := range []string{
		`{"event_id":"mine","type":"no.such.event"}`,
		`{"event_id":"mine","type":"session.update","session":{"instructions":7}}`,
		`{"event_id":"mine","type":"response.cancel","response_id":{}}`,
	} {
		_, err := Decode([]byte(raw))
		var e *Error
		if !errors.As(err, &e) || e.EventID != "mine" {
			t.Errorf("%s: got %+v", raw, err)
		}
	}
}

// What a session says of itself can be sent back, and changes nothing.
func TestSessionRoundTrip(t *testing.T) {
	for _, want := range []conversation.Session{
		conversation.DefaultSession(),
		{Mode: conversation.PushToTalk, Instructions: "x", Silence: 500 * time.Millisecond, Threshold: 0.5},
		{Mode: conversation.HandsFree, Language: "fr", Silence: 200 * time.Millisecond, Threshold: 0.9, Interrupt: true},
	} {
		patch, err := DecodeSession(EncodeSession("c1", want, Names{}))
		if err != nil {
			t.Fatal(err)
		}
		start := conversation.DefaultSession()
		if want.Mode == conversation.PushToTalk { // what only voice detection uses is not shown then
			start.Prefix, start.AutoReply, start.Interrupt = want.Prefix, want.AutoReply, want.Interrupt
		}
		start.Language = want.Language // "" cannot be said
		got, err := patch.Apply(start)
		if err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"type":"session.update","event_id":"a","session":{"output_modalities":["text"],"audio":{"input":{"turn_detection":{"type":"server_vad","threshold":0.5}}}}}`))
	f.Add([]byte(`{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}}`))
	f.Add([]byte(`{"type":"parley.playback.heard","response_id":"resp_c_1","delay_ms":-1e3}`))
	f.Add([]byte(`{"type":"response.create","response":{"instructions":"x"}}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		cmd, err := Decode(raw)
		if err == nil {
			if len(cmd.Inputs) == 0 && cmd.Retrieve == "" {
				t.Fatalf("accepted, and nothing follows: %q", raw)
			}
			for _, in := range cmd.Inputs {
				if c, ok := in.(conversation.Configure); ok && c.Patch.Mode != nil {
					if _, err := c.Patch.Apply(conversation.DefaultSession()); err != nil {
						t.Fatalf("accepted a session that the conversation refuses: %v", err)
					}
				}
			}
			return
		}
		var e *Error
		if !errors.As(err, &e) || e.Code == "" || e.Message == "" {
			t.Fatalf("got %v", err)
		}
		for _, ev := range NewEncoder("c", Names{}).Error(e) {
			if !json.Valid(ev) {
				t.Fatalf("not JSON: %s", ev)
			}
		}
	})
}
