package loadtest

import (
	"errors"
	"fmt"
)

// Class says what kind of thing went wrong, from the caller's point of view.
type Class string

// The classes of failure.
const (
	BadUsage     Class = "bad_usage"    // what was asked for makes no sense
	BadAudio     Class = "bad_audio"    // a recording that cannot be read, or holds nothing
	Unreachable  Class = "unreachable"  // nothing answers at the address
	Unauthorized Class = "unauthorized" // the key is missing or wrong
	NotParley    Class = "not_parley"   // something answers, but speaks another language
	NoMedia      Class = "no_media"     // signaling works, the media path does not
	Refused      Class = "refused"      // parley said no, with a reason
	CallLost     Class = "call_lost"    // the call broke while it was up
	Unanswered   Class = "unanswered"   // the call was fine, an answer never came
)

// Error is a failure in one plain sentence, which says what to do where that is
// known. It is complete without its cause.
type Error struct {
	Class    Class
	Sentence string
	Err      error // the cause; may be nil
}

// Error implements error.
func (e *Error) Error() string { return e.Sentence }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf finds the class of err: that of the first *Error in its chain; "" for
// nil and for any other error.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

// ExitCode is the status a command should end with: 0 without an error, 1 where
// the call was up and something went unanswered, 2 where no call came about.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case ClassOf(err) == Unanswered, ClassOf(err) == CallLost:
		return 1
	}
	return 2
}

func failf(class Class, cause error, format string, args ...any) *Error {
	return &Error{Class: class, Sentence: fmt.Sprintf(format, args...), Err: cause}
}
