// Package unassigned is the voice of a server that has none: it says so.
//
// May import: internal/fault, tts and the standard library.
// Concurrency: an Engine is safe for concurrent use.
package unassigned

import (
	"context"
	"iter"
	"log/slog"

	"parley/internal/fault"
	"parley/tts"
)

// Config is empty: there is nothing to set.
type Config struct{}

// New returns the engine. It is made as all others are, and never fails.
func New(Config, *slog.Logger) (*Engine, error) { return &Engine{}, nil }

// Engine fails every reply with fault.Misconfigured, at once and without
// reading its text.
type Engine struct{}

// Speak implements tts.Voice.
func (Engine) Speak(ctx context.Context, _ iter.Seq[string]) iter.Seq2[tts.Speech, error] {
	return func(yield func(tts.Speech, error) bool) {
		err := ctx.Err()
		if err == nil {
			err = fault.Newf(fault.Misconfigured, "tts/unassigned: speak",
				"no text-to-speech engine is configured; set tts.engine")
		}
		yield(tts.Speech{}, err)
	}
}
