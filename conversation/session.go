package conversation

import (
	"errors"
	"fmt"
	"time"
)

// Mode says who decides when the caller's turn is over.
type Mode string

// The modes.
const (
	HandsFree  Mode = "hands_free"   // voice activity detection
	PushToTalk Mode = "push_to_talk" // the caller: Press and Release, or Commit
)

// Session is what a caller may set about a call.
type Session struct {
	Mode         Mode          `koanf:"mode" yaml:"mode"`
	Instructions string        `koanf:"instructions" yaml:"instructions"` // system prompt
	Language     string        `koanf:"language" yaml:"language"`         // BCP 47; "" lets the engines decide
	Silence      time.Duration `koanf:"silence" yaml:"silence"`           // hands-free: silence that ends a turn
	Prefix       time.Duration `koanf:"prefix" yaml:"prefix"`             // audio kept from before the detected start, or the press
	Threshold    float64       `koanf:"threshold" yaml:"threshold"`       // hands-free: speech probability that starts a turn, 0..1
	AutoReply    bool          `koanf:"auto_reply" yaml:"auto_reply"`     // reply when the caller's turn ends; else wait for CreateReply
	Interrupt    bool          `koanf:"interrupt" yaml:"interrupt"`       // the caller's speech stops the reply
	Speak        bool          `koanf:"speak" yaml:"speak"`               // false: answer in text only
}

// DefaultSession is how a call begins unless the configuration says otherwise.
// Threshold and Prefix follow common practice for Silero; the recogniser also
// needs some background before the first word. 500 ms of silence is what most
// voice stacks wait, and enough for people who pause to think.
func DefaultSession() Session {
	return Session{
		Mode: HandsFree,
		Instructions: "You are a friendly voice assistant. Your answers are read aloud: " +
			"answer in one to three short sentences of plain words, without lists, markup or emoji.",
		Silence:   500 * time.Millisecond,
		Prefix:    500 * time.Millisecond,
		Threshold: 0.5,
		AutoReply: true,
		Interrupt: true,
		Speak:     true,
	}
}

// Limits of a session.
const (
	MinSilence      = 100 * time.Millisecond
	MaxSilence      = 5 * time.Second
	MaxPrefix       = time.Second
	MaxInstructions = 16 << 10 // bytes
)

// Validate says in one sentence what is wrong with the session.
func (s Session) Validate() error {
	switch {
	case s.Mode != HandsFree && s.Mode != PushToTalk:
		return fmt.Errorf("mode must be %q or %q, not %q", HandsFree, PushToTalk, s.Mode)
	case s.Silence < MinSilence || s.Silence > MaxSilence:
		return fmt.Errorf("silence must be between %v and %v, not %v", MinSilence, MaxSilence, s.Silence)
	case s.Prefix < 0 || s.Prefix > MaxPrefix:
		return fmt.Errorf("prefix must be between 0 and %v, not %v", MaxPrefix, s.Prefix)
	case s.Threshold <= 0 || s.Threshold >= 1:
		return fmt.Errorf("threshold must lie between 0 and 1, not %v", s.Threshold)
	case len(s.Instructions) > MaxInstructions:
		return fmt.Errorf("instructions must not be longer than %d bytes", MaxInstructions)
	case len(s.Language) > 35: // RFC 5646 §4.4.1
		return errors.New("language must be a BCP 47 tag such as \"en\"")
	}
	return nil
}

// SessionPatch changes the fields that are not nil.
type SessionPatch struct {
	Mode         *Mode
	Instructions *string
	Language     *string
	Silence      *time.Duration
	Prefix       *time.Duration
	Threshold    *float64
	AutoReply    *bool
	Interrupt    *bool
	Speak        *bool
}

// Apply returns s with the patch applied, or an error and s unchanged.
func (p SessionPatch) Apply(s Session) (Session, error) {
	patched := s
	set(&patched.Mode, p.Mode)
	set(&patched.Instructions, p.Instructions)
	set(&patched.Language, p.Language)
	set(&patched.Silence, p.Silence)
	set(&patched.Prefix, p.Prefix)
	set(&patched.Threshold, p.Threshold)
	set(&patched.AutoReply, p.AutoReply)
	set(&patched.Interrupt, p.Interrupt)
	set(&patched.Speak, p.Speak)
	if err := patched.Validate(); err != nil {
		return s, err
	}
	return patched, nil
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}
