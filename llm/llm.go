// Package llm is the language-model port: what the conversation asks of
// whoever answers. Each engine is a sub-folder; llmtest holds the suite all
// must pass.
//
// May import: internal/fault and the standard library.
// Concurrency: a Model is safe for concurrent use, one call per reply.
package llm

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Role says who spoke a message.
type Role string

// The roles of a message.
const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one entry of the history, oldest first. An assistant's text is
// what the caller heard of it, not what was generated.
type Message struct {
	Role Role
	Text string
}

// Prompt is what a reply is made from.
type Prompt struct {
	Instructions string    // system prompt; stable over a call, so that providers can cache it
	Messages     []Message // ends with the user's message to answer
	Language     string    // BCP 47 of the caller, "" when unknown
	Now          time.Time // wall clock of the turn, in the caller's time zone where it is known
	MaxTokens    int       // 0: the engine's own limit
	Temperature  *float64  // nil: the engine's own
}

// Delta is one piece of a reply: text, or a request that the call do something.
type Delta struct {
	Text   string
	Action *Action
}

// Action asks the conversation for something no text can do. Engines that know
// none never send one.
type Action struct {
	Name string          // ActionSetTimer or ActionCancelTimers
	Args json.RawMessage // by name; see TimerArgs
}

// The actions a conversation understands.
const (
	ActionSetTimer     = "set_timer"     // Args: TimerArgs
	ActionCancelTimers = "cancel_timers" // Args: none
)

// TimerArgs are the arguments of ActionSetTimer.
type TimerArgs struct {
	Seconds float64 `json:"seconds"`
	Label   string  `json:"label,omitempty"` // as spoken: "5 minute", "egg"
}

// Model answers.
//
// The stream yields at least one Delta with text, as soon as each piece is
// known, or one error, which is the last element. It ends soon (within 20 ms)
// after ctx is done, yielding the context's error or nothing, and the work
// behind it (sockets, paid tokens) stops too. When it has ended no goroutine
// of the engine works for it any longer.
type Model interface {
	Reply(ctx context.Context, p Prompt) iter.Seq2[Delta, error]
}

// Func adapts a function to Model.
type Func func(ctx context.Context, p Prompt) iter.Seq2[Delta, error]

// Reply implements Model.
func (f Func) Reply(ctx context.Context, p Prompt) iter.Seq2[Delta, error] { return f(ctx, p) }
