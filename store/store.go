// Package store is the port to whatever remembers calls and turns after they
// are over. Each engine is a sub-folder; storetest holds the suite all must pass.
//
// May import: internal/timeline and the standard library.
// Concurrency: a Store is safe for concurrent use. No turn ever waits on one:
// the caller puts a bounded queue between (Recorder).
package store

import (
	"context"
	"errors"
	"time"

	"parley/internal/timeline"
)

// ErrNotFound says that no such call is stored.
var ErrNotFound = errors.New("store: not found")

// Call is one call, from join to hang-up.
type Call struct {
	ID        string    `json:"id"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"` // zero while it is up, and for ever if the server died
	Client    string    `json:"client,omitempty"`  // what the caller's software calls itself
	Cause     string    `json:"cause,omitempty"`   // why it ended: "hang_up", "lost", …
	Turns     int       `json:"turns"`             // number of stored turns; filled in when read, ignored when saved
}

// Turn is one exchange: what the caller said and what they heard back.
type Turn struct {
	CallID    string            `json:"call_id"`
	Number    int               `json:"turn"` // from 1, per call
	StartedAt time.Time         `json:"started_at"`
	EndedAt   time.Time         `json:"ended_at,omitzero"`
	Input     string            `json:"input"` // "speech", "push_to_talk", "text" or "timer"
	User      string            `json:"user"`  // what the caller said or wrote
	Reply     string            `json:"reply"` // what the caller heard of the answer
	Status    string            `json:"status"`
	Reason    string            `json:"reason,omitempty"` // why it was not completed
	Timeline  timeline.Timeline `json:"timeline"`
}

// Store remembers.
type Store interface {
	// SaveCall inserts the call or replaces the one with the same ID.
	SaveCall(ctx context.Context, c Call) error
	// SaveTurn inserts the turn or replaces the one with the same call and
	// number; ErrNotFound for an unknown call.
	SaveTurn(ctx context.Context, t Turn) error
	// Call returns the call, or ErrNotFound.
	Call(ctx context.Context, id string) (Call, error)
	// Calls returns at most limit calls that started before the given time
	// (zero: no bound), newest first.
	Calls(ctx context.Context, before time.Time, limit int) ([]Call, error)
	// Turns returns the turns of a call in order, or ErrNotFound for an unknown call.
	Turns(ctx context.Context, callID string) ([]Turn, error)
	// DeleteCall removes a call and its turns; ErrNotFound for an unknown call.
	DeleteCall(ctx context.Context, id string) error
	// Close releases the store; saved data is on disk when it returns.
	Close() error
}
