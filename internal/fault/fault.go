// Package fault names what can go wrong with a part parley depends on, so that
// a caller hears a fitting sentence, a log line has a reason, and HTTP answers
// have a status, all from one table.
//
// May import: the standard library only.
// Concurrency: values are immutable.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind is the class of a failure.
type Kind string

// The kinds of failure.
const (
	Failed        Kind = "failed"        // it answered that it could not (HTTP 5xx, engine error)
	Unreachable   Kind = "unreachable"   // nothing answered: refused, reset, no such host
	Unauthorized  Kind = "unauthorized"  // HTTP 401 or 403: the key is missing or wrong
	RateLimited   Kind = "rate_limited"  // HTTP 429; RetryAfter says when to come back
	Stalled       Kind = "stalled"       // it went silent: no first or no next piece in time
	Misconfigured Kind = "misconfigured" // no engine, unknown model (HTTP 404), impossible settings
	BadInput      Kind = "bad_input"     // what it was given cannot be used
	Overloaded    Kind = "overloaded"    // no capacity here, now
	Canceled      Kind = "canceled"      // nobody wants the answer any more; not a failure
)

// Error is a failure with its kind and place.
type Error struct {
	Kind       Kind
	Op         string        // the place: "llm/openai: reply"
	RetryAfter time.Duration // for RateLimited; 0 when unknown
	Err        error         // the cause; may be nil
}

// New returns an *Error. Op is the place, in the form "package: action".
func New(kind Kind, op string, err error) *Error { return &Error{Kind: kind, Op: op, Err: err} }

// Newf is New with a formatted cause; %w works as in fmt.Errorf.
func Newf(kind Kind, op, format string, args ...any) *Error {
	return New(kind, op, fmt.Errorf(format, args...))
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Op, e.Kind)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Kind, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf finds the kind of err: that of the outermost *Error in its chain,
// Canceled for context.Canceled, Stalled for a deadline, else Failed.
// KindOf(nil) is "".
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Stalled
	default:
		return Failed
	}
}
