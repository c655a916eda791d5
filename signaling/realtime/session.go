package realtime

import (
	"encoding/json"
	"time"

	"parley/conversation"
)

// maxLanguage is the longest language tag in characters, RFC 5646 section 4.4.1.
const maxLanguage = 35

type sessionIn struct {
	Type         *string   `json:"type"`
	Instructions *string   `json:"instructions"`
	Modalities   *[]string `json:"output_modalities"`
	Audio        struct {
		Input struct {
			TurnDetection json.RawMessage `json:"turn_detection"`
			Transcription *struct {
				Language *string `json:"language"`
			} `json:"transcription"`
		} `json:"input"`
	} `json:"audio"`
}

type turnDetectionIn struct {
	Type      string   `json:"type"`
	Threshold *float64 `json:"threshold"`
	PrefixMS  *float64 `json:"prefix_padding_ms"`
	SilenceMS *float64 `json:"silence_duration_ms"`
	Create    *bool    `json:"create_response"`
	Interrupt *bool    `json:"interrupt_response"`
}

// DecodeSession reads a Realtime session object, as in session.update or in a
// call's request. Fields parley has no use for (model, voice, formats, tools,
// tracing, …) are accepted and ignored: the session that is sent back says what
// holds. The error is an *Error.
func DecodeSession(raw json.RawMessage) (conversation.SessionPatch, error) {
	patch, e := decodeSession(raw)
	if e != nil {
		return conversation.SessionPatch{}, e
	}
	return patch, nil
}

func decodeSession(raw json.RawMessage) (conversation.SessionPatch, *Error) {
	var patch conversation.SessionPatch
	var in sessionIn
	if len(raw) > MaxEvent {
		return patch, invalid("event_too_large", "session", "The session is larger than %d KB.", MaxEvent>>10)
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return patch, badJSON(err, "session")
	}
	if in.Type != nil && *in.Type != "realtime" {
		return patch, invalid("unsupported_parameter", "session.type", "Only sessions of the type 'realtime' are supported yet, not %s.", quoted(*in.Type))
	}
	if in.Instructions != nil && len(*in.Instructions) > conversation.MaxInstructions {
		return patch, invalid("invalid_value", "session.instructions", "The instructions are longer than %d KB.", conversation.MaxInstructions>>10)
	}
	patch.Instructions = in.Instructions
	if in.Modalities != nil {
		speak, e := decodeModalities(*in.Modalities)
		if e != nil {
			return patch, e
		}
		patch.Speak = &speak
	}
	if t := in.Audio.Input.Transcription; t != nil && t.Language != nil {
		if !validLanguage(*t.Language) {
			return patch, invalid("invalid_value", "session.audio.input.transcription.language",
				"The language must be a tag such as 'en' or 'de-CH', not %s.", quoted(*t.Language))
		}
		patch.Language = t.Language
	}
	return patch, decodeTurnDetection(in.Audio.Input.TurnDetection, &patch)
}

// decodeModalities tells whether replies are spoken.
func decodeModalities(m []string) (bool, *Error) {
	if len(m) == 1 && (m[0] == "audio" || m[0] == "text") {
		return m[0] == "audio", nil
	}
	return false, invalid("invalid_value", "session.output_modalities", `output_modalities must be ["audio"] or ["text"].`)
}

func validLanguage(tag string) bool {
	if len(tag) > maxLanguage {
		return false
	}
	for _, r := range tag {
		if r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}

// decodeTurnDetection fills the patch: null is push-to-talk, semantic_vad
// hands-free with what the session holds.
func decodeTurnDetection(raw json.RawMessage, patch *conversation.SessionPatch) *Error {
	const path = "session.audio.input.turn_detection"
	if len(raw) == 0 {
		return nil
	}
	mode := conversation.PushToTalk
	patch.Mode = &mode
	if isAbsent(raw) {
		return nil
	}
	mode = conversation.HandsFree
	var in turnDetectionIn
	if err := json.Unmarshal(raw, &in); err != nil {
		return badJSON(err, path)
	}
	patch.AutoReply, patch.Interrupt = in.Create, in.Interrupt
	switch in.Type {
	case "semantic_vad":
		return nil
	case "server_vad":
	default:
		return invalid("invalid_value", path+".type", "turn_detection must be null or of the type server_vad or semantic_vad, not %s.", quoted(in.Type))
	}
	if in.Threshold != nil && (*in.Threshold <= 0 || *in.Threshold >= 1) {
		return invalid("invalid_value", path+".threshold", "threshold must lie between 0 and 1.")
	}
	patch.Threshold = in.Threshold
	var e *Error
	if patch.Silence, e = milliseconds(in.SilenceMS, path+".silence_duration_ms", conversation.MinSilence, conversation.MaxSilence); e != nil {
		return e
	}
	patch.Prefix, e = milliseconds(in.PrefixMS, path+".prefix_padding_ms", 0, conversation.MaxPrefix)
	return e
}

func milliseconds(ms *float64, param string, least, most time.Duration) (*time.Duration, *Error) {
	if ms == nil {
		return nil, nil
	}
	if *ms < float64(least.Milliseconds()) || *ms > float64(most.Milliseconds()) {
		return nil, invalid("invalid_value", param, "%s must be between %d and %d.", param, least.Milliseconds(), most.Milliseconds())
	}
	d := time.Duration(*ms * float64(time.Millisecond))
	return &d, nil
}

// Names are what a session calls the parts that answer.
type Names struct {
	Model string // default "parley"
	Voice string // default "default"
}

type format struct {
	Type string `json:"type"`
	Rate int    `json:"rate,omitempty"`
}

type turnDetection struct {
	Type      string  `json:"type"`
	Threshold float64 `json:"threshold"`
	PrefixMS  int64   `json:"prefix_padding_ms"`
	SilenceMS int64   `json:"silence_duration_ms"`
	Create    bool    `json:"create_response"`
	Interrupt bool    `json:"interrupt_response"`
	IdleMS    *int64  `json:"idle_timeout_ms"`
}

type transcription struct {
	Model    string `json:"model"`
	Language string `json:"language,omitempty"`
}

type sessionAudio struct {
	Input struct {
		Format         format         `json:"format"`
		Transcription  transcription  `json:"transcription"`
		NoiseReduction *string        `json:"noise_reduction"`
		TurnDetection  *turnDetection `json:"turn_detection"`
	} `json:"input"`
	Output struct {
		Format format  `json:"format"`
		Voice  string  `json:"voice"`
		Speed  float64 `json:"speed"`
	} `json:"output"`
}

type sessionOut struct {
	Type         string       `json:"type"`
	Object       string       `json:"object"`
	ID           string       `json:"id,omitempty"`
	Model        string       `json:"model"`
	Instructions string       `json:"instructions"`
	Modalities   []string     `json:"output_modalities"`
	Audio        sessionAudio `json:"audio"`
	Tools        []string     `json:"tools"` // none yet
	ToolChoice   string       `json:"tool_choice"`
	MaxTokens    string       `json:"max_output_tokens"`
	Truncation   string       `json:"truncation"`
	Tracing      *string      `json:"tracing"`
	Prompt       *string      `json:"prompt"`
}

// EncodeSession shows a session as a Realtime session object. call may be
// empty, for a session that belongs to no call yet.
func EncodeSession(call string, s conversation.Session, n Names) json.RawMessage {
	return mustJSON(makeSession(call, s, n))
}

func makeSession(call string, s conversation.Session, n Names) sessionOut {
	if n.Model == "" {
		n.Model = "parley"
	}
	if n.Voice == "" {
		n.Voice = "default"
	}
	out := sessionOut{
		Type: "realtime", Object: "realtime.session", Model: n.Model, Instructions: s.Instructions,
		Modalities: modalities(s.Speak), Tools: []string{}, ToolChoice: "auto", MaxTokens: "inf", Truncation: "auto",
	}
	if call != "" {
		out.ID = "sess_" + call
	}
	in := &out.Audio.Input
	in.Format = format{Type: "audio/pcm", Rate: 24000}
	in.Transcription = transcription{Model: n.Model, Language: s.Language}
	if s.Mode != conversation.PushToTalk {
		in.TurnDetection = &turnDetection{
			Type: "server_vad", Threshold: s.Threshold, PrefixMS: s.Prefix.Milliseconds(),
			SilenceMS: s.Silence.Milliseconds(), Create: s.AutoReply, Interrupt: s.Interrupt,
		}
	}
	out.Audio.Output.Format, out.Audio.Output.Voice, out.Audio.Output.Speed = in.Format, n.Voice, 1
	return out
}

func modalities(speak bool) []string {
	if speak {
		return []string{"audio"}
	}
	return []string{"text"}
}
