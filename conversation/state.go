package conversation

import (
	"errors"
	"slices"
	"strings"
	"time"

	"parley/internal/timeline"
	"parley/llm"
)

// Why work of a turn was cancelled; context.Cause tells.
var (
	ErrBargeIn   = errors.New("conversation: the caller spoke over the reply")
	ErrCancelled = errors.New("conversation: the caller cancelled the reply")
	ErrHangUp    = errors.New("conversation: the call is over")
	ErrDiscarded = errors.New("conversation: what was heard was taken back")
)

// How a turn came about.
const (
	inputSpeech  = "speech"
	inputButton  = "push_to_talk"
	inputText    = "text"
	inputRequest = "request" // a reply asked for without new words
	inputTimer   = "timer"
)

// Reasons on the wire and in the store.
const (
	reasonTurnDetected = "turn_detected"    // the caller spoke again
	reasonClient       = "client_cancelled" // the caller asked
	reasonHangUp       = "hang_up"
	reasonNoSpeech     = "no_speech"
	reasonCleared      = "cleared"
	reasonUnanswered   = "unanswered" // nobody asked for a reply
)

const (
	maxHistory   = 64                     // messages kept; models trim further
	maxOpenTurns = 16                     // turns waiting for their words; older ones are given up
	maxTimers    = 16                     // in-call timers
	maxText      = 8 << 10                // bytes of a written message
	catchable    = 700 * time.Millisecond // voiced time from which silence as an answer would be rude
	progressGap  = 200 * time.Millisecond
)

// phase is how far a turn has come.
type phase uint8

const (
	hearing      phase = iota // audio is coming in
	tailing                   // the button is up, its last sound still on the way
	transcribing              // the words are on their way
	understood                // the words are known
)

// state is everything a call knows. Only step changes it.
type state struct {
	session Session
	turns   []*turn // open ones, oldest first
	reply   *reply  // the one active reply, or nil
	history []llm.Message
	timers  []timer
	resume  string // what was left unheard of a reply the caller spoke over
	owed    bool   // the caller spoke over an answer before any of it was heard

	lastTurn, lastReply int
	lastDone            *turn // for marks that come after the end
	lastDoneReply       int
	ended               bool
}

type turn struct {
	n        int
	input    string
	phase    phase
	text     string
	kept     bool // in history
	answer   bool // a reply is wanted
	instruct string
	fixed    string // say these words instead of asking the model
	status   Status
	reason   string
	heard    string
	started  time.Time
	line     timeline.Timeline
}

type reply struct {
	n         int
	turn      *turn
	text      strings.Builder // as generated
	script    script
	clauses   []string // handed to the voice
	started   bool     // its first packet has left
	stopped   bool     // cancelled; its work has not returned yet
	status    Status
	reason    string
	spoken    bool // has a voice
	progress  time.Time
	shown     string // last PlaybackProgress
	lastHeard time.Duration
	lag       time.Duration // from sending to hearing, the longest that RTCP told; 0 while unknown
	mute      bool          // its voice failed
}

type timer struct {
	label string
	due   time.Time
}

func newState(s Session) *state { return &state{session: s} }

func (s *state) openTurn(input string, now time.Time) *turn {
	s.lastTurn++
	t := &turn{n: s.lastTurn, input: input, status: Completed, started: now}
	s.turns = append(s.turns, t)
	return t
}

// turnIn finds the open turn n if it is in one of the phases.
func (s *state) turnIn(n int, phases ...phase) *turn {
	for _, t := range s.turns {
		if t.n == n && slices.Contains(phases, t.phase) {
			return t
		}
	}
	return nil
}

// listening is the turn whose audio is coming in, or nil.
func (s *state) listening() *turn {
	for _, t := range s.turns {
		if t.phase <= tailing {
			return t
		}
	}
	return nil
}

// current finds reply n if it is the active one and was not stopped.
func (s *state) current(n int) *reply {
	if r := s.reply; r != nil && r.n == n && !r.stopped {
		return r
	}
	return nil
}

func (s *state) remember(role llm.Role, text string) {
	if text == "" {
		return
	}
	s.history = append(s.history, llm.Message{Role: role, Text: text})
	if extra := len(s.history) - maxHistory; extra > 0 {
		s.history = slices.Delete(s.history, 0, extra)
	}
}

func (s *state) prompt(t *turn, now time.Time) llm.Prompt {
	instructions := s.session.Instructions
	if t.instruct != "" {
		instructions = t.instruct
	}
	return llm.Prompt{
		Instructions: instructions,
		Messages:     slices.Clone(s.history),
		Language:     s.session.Language,
		Now:          now,
	}
}

// wake is when step wants the next tick; zero when nothing is due.
func (s *state) wake() time.Time {
	var at time.Time
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if r := s.reply; r != nil && r.started && !r.stopped {
		sooner(r.progress.Add(progressGap))
	}
	for _, t := range s.timers {
		sooner(t.due)
	}
	return at
}
