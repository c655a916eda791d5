// Package unassigned is the language model of a server that has none: every
// reply says so. It stands in where a nil would crash.
//
// May import: llm, internal/fault and the standard library.
// Concurrency: an Engine is immutable and safe for concurrent use.
package unassigned

import (
	"context"
	"iter"
	"log/slog"

	"parley/internal/fault"
	"parley/llm"
)

// Config says why there is no model.
type Config struct {
	Reason string `koanf:"reason" yaml:"reason"` // "" means that none was chosen
}

// Validate accepts everything.
func (Config) Validate() error { return nil }

// Engine implements llm.Model.
type Engine struct{ err error }

var _ llm.Model = (*Engine)(nil)

// New returns an engine. The logger is not used: the caller of Reply logs.
func New(cfg Config, _ *slog.Logger) (*Engine, error) {
	if cfg.Reason == "" {
		cfg.Reason = "no language model is configured"
	}
	return &Engine{err: fault.Newf(fault.Misconfigured, "llm/unassigned: reply", "%s", cfg.Reason)}, nil
}

// Check returns the reason why nothing will answer.
func (e *Engine) Check(context.Context) error { return e.err }

// Reply implements llm.Model: it yields a fault.Misconfigured.
func (e *Engine) Reply(ctx context.Context, _ llm.Prompt) iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(llm.Delta{}, err)
			return
		}
		yield(llm.Delta{}, e.err)
	}
}
