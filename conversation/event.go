package conversation

import (
	"time"

	"parley/internal/fault"
	"parley/internal/timeline"
)

// Envelope is one event with its place in the call. Seq counts from 1 without
// gaps per call, as emitted; a consumer that sees a gap has lost events.
type Envelope struct {
	Call  string
	Seq   uint64
	At    time.Time
	Event Event
}

// Event is something that happened in a call. The set is sealed: metrics,
// traces, the wire, the store and the study all switch over these types.
type Event interface{ event() }

// Status says how a reply or a turn ended.
type Status string

// The ways to end.
const (
	Completed Status = "completed"
	Cancelled Status = "cancelled" // Reason: "turn_detected", "client_cancelled", "hang_up", …
	Failed    Status = "failed"
)

// Stage names a part that can fail.
type Stage string

// The stages that can fail.
const (
	StageSTT Stage = "stt"
	StageLLM Stage = "llm"
	StageTTS Stage = "tts"
)

// The events. Turn numbers count from 1 per call; so do reply numbers. Media
// times count from the first sample received.
type (
	// CallStarted opens the stream.
	CallStarted struct {
		Session Session
		Client  string
	}
	// SessionChanged follows every accepted Configure.
	SessionChanged struct{ Session Session }

	// SpeechStarted: the caller began to speak; opens the turn.
	SpeechStarted struct {
		Turn  int
		Media time.Duration
	}
	// SpeechStopped: the caller's turn is over. Between the two the user's words are partial.
	SpeechStopped struct {
		Turn  int
		Media time.Duration
	}
	// InputDiscarded: what was heard was not speech, or was taken back; closes the turn without a reply.
	InputDiscarded struct {
		Turn   int
		Reason string // "no_speech", "too_short", "cleared"
	}
	// InputCommitted: the user's message is part of the conversation; its words may still be on their way.
	InputCommitted struct{ Turn int }
	// TextReceived: the caller wrote; opens a turn.
	TextReceived struct {
		Turn int
		Text string
	}
	// Transcribed: words as they are understood. Partials replace each other; Final comes once per turn.
	Transcribed struct {
		Turn       int
		Text       string
		Final      bool
		Language   string
		Confidence float64
		Audio      time.Duration // length of the utterance, on Final
	}

	// ReplyStarted: the assistant is working on an answer.
	ReplyStarted struct{ Turn, Reply int }
	// ReplyText: more of the answer, as it will be spoken.
	ReplyText struct {
		Turn, Reply int
		Delta       string
	}
	// ReplyTextDone: the whole answer, as generated.
	ReplyTextDone struct {
		Turn, Reply int
		Text        string
	}
	// PlaybackStarted: the first packet of the reply has left.
	PlaybackStarted struct{ Turn, Reply int }
	// PlaybackProgress: how much of the reply the caller has heard. At most five a second.
	PlaybackProgress struct {
		Turn, Reply int
		Heard       string // the text up to the last word heard
		Position    time.Duration
	}
	// PlaybackStopped: the last packet has left; Flushed where audio was thrown away.
	PlaybackStopped struct {
		Turn, Reply int
		Flushed     bool
	}
	// ReplyEnded closes a reply; exactly one per ReplyStarted.
	ReplyEnded struct {
		Turn, Reply int
		Status      Status
		Reason      string
		Generated   string        // all that was generated
		Heard       string        // what history keeps
		Played      time.Duration // audio the caller has heard
	}
	// StageFailed: a part failed; the call goes on. Spoken is what the caller is told.
	StageFailed struct {
		Turn   int
		Stage  Stage
		Kind   fault.Kind
		Err    error
		Spoken string
	}
	// TurnEnded closes a turn; exactly one per turn opened.
	TurnEnded struct {
		Turn     int
		Input    string // "speech", "push_to_talk", "text", "timer"
		Status   Status
		Reason   string
		User     string
		Heard    string
		Started  time.Time
		Timeline timeline.Timeline
	}
	// TimelineChanged: marks were added to a turn that had ended (first_packet_heard), or the first packet left.
	TimelineChanged struct {
		Turn     int
		Timeline timeline.Timeline
	}
	// TimerSet and TimerRang: the assistant keeps a timer for the caller.
	TimerSet struct {
		Label string
		Due   time.Time
	}
	TimerRang struct{ Label string }
	// Refused: a client's request could not be carried out; nothing changed.
	Refused struct {
		Code    string // "conversation_already_has_active_response", "input_audio_buffer_commit_empty", …
		Message string
		Ref     string // the client's event id
	}
	// Dropped: a bounded queue of this call overflowed.
	Dropped struct {
		Queue string
		Count int
	}
	// CallEnded closes the stream.
	CallEnded struct{ Cause string }
)

func (CallStarted) event()      {}
func (SessionChanged) event()   {}
func (SpeechStarted) event()    {}
func (SpeechStopped) event()    {}
func (InputDiscarded) event()   {}
func (InputCommitted) event()   {}
func (TextReceived) event()     {}
func (Transcribed) event()      {}
func (ReplyStarted) event()     {}
func (ReplyText) event()        {}
func (ReplyTextDone) event()    {}
func (PlaybackStarted) event()  {}
func (PlaybackProgress) event() {}
func (PlaybackStopped) event()  {}
func (ReplyEnded) event()       {}
func (StageFailed) event()      {}
func (TurnEnded) event()        {}
func (TimelineChanged) event()  {}
func (TimerSet) event()         {}
func (TimerRang) event()        {}
func (Refused) event()          {}
func (Dropped) event()          {}
func (CallEnded) event()        {}
