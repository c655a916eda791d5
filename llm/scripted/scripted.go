// Package scripted is a language model that says what it was told to, word by
// word at fixed gaps, and fails or goes silent where it was told to: for tests,
// load and studies.
//
// May import: llm, internal/fault and the standard library.
// Concurrency: an Engine is immutable and safe for concurrent use.
package scripted

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/llm"
)

// Stall as Config.Fail makes a reply go silent instead of failing.
const Stall = "stall"

const defaultReply = "This is a scripted answer. It is always the same."

// Config is the script. The zero value says one fixed sentence at once.
type Config struct {
	// Replies are said in turn: the first to the first message of the user, and
	// so on, then from the start again. Empty: one fixed sentence.
	Replies []string `koanf:"replies" yaml:"replies"`
	// FirstToken is the time to the first word, Gap that between words.
	FirstToken time.Duration `koanf:"first_token" yaml:"first_token"`
	Gap        time.Duration `koanf:"gap" yaml:"gap"`
	// Fail ends a reply early, after After words: "" never, Stall with silence,
	// or a fault kind ("rate_limited") with that fault.
	Fail  string `koanf:"fail" yaml:"fail"`
	After int    `koanf:"after" yaml:"after"`
	// Actions follow the last word of every reply.
	Actions []llm.Action `koanf:"-" yaml:"-"`
}

// Validate implements the check of a configuration.
func (c Config) Validate() error {
	known := []string{"", Stall, string(fault.Failed), string(fault.Unreachable), string(fault.Unauthorized),
		string(fault.RateLimited), string(fault.Stalled), string(fault.Misconfigured), string(fault.Overloaded)}
	switch {
	case !slices.Contains(known, c.Fail):
		return fmt.Errorf("llm/scripted: fail: unknown kind %q", c.Fail)
	case c.FirstToken < 0 || c.Gap < 0 || c.After < 0:
		return fmt.Errorf("llm/scripted: first_token, gap and after may not be negative")
	case slices.ContainsFunc(c.Replies, func(r string) bool { return strings.TrimSpace(r) == "" }):
		return fmt.Errorf("llm/scripted: a reply is empty")
	}
	return nil
}

// Engine implements llm.Model.
type Engine struct {
	cfg Config
	log *slog.Logger
}

var _ llm.Model = (*Engine)(nil)

// New returns an engine. log may be nil.
func New(cfg Config, log *slog.Logger) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Replies) == 0 {
		cfg.Replies = []string{defaultReply}
	}
	return &Engine{cfg: cfg, log: log}, nil
}

// Check always succeeds: nothing is needed.
func (e *Engine) Check(context.Context) error { return nil }

// Reply implements llm.Model.
func (e *Engine) Reply(ctx context.Context, p llm.Prompt) iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		words := strings.SplitAfter(e.text(p), " ")
		wait := e.cfg.FirstToken
		for i, word := range words {
			if err := pause(ctx, wait); err != nil {
				yield(llm.Delta{}, err)
				return
			}
			if e.cfg.Fail != "" && i >= e.cfg.After {
				yield(llm.Delta{}, e.fail(ctx))
				return
			}
			if !yield(llm.Delta{Text: word}, nil) {
				return
			}
			wait = e.cfg.Gap
		}
		for _, a := range e.cfg.Actions {
			if ctx.Err() != nil || !yield(llm.Delta{Action: &a}, nil) {
				return
			}
		}
	}
}

// text is the reply whose turn it is.
func (e *Engine) text(p llm.Prompt) string {
	asked := 0
	for _, m := range p.Messages {
		if m.Role == llm.User {
			asked++
		}
	}
	return e.cfg.Replies[max(0, asked-1)%len(e.cfg.Replies)]
}

func (e *Engine) fail(ctx context.Context) error {
	e.log.Debug("scripted failure", "fail", e.cfg.Fail, "after", e.cfg.After)
	if e.cfg.Fail == Stall {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return fault.Newf(fault.Kind(e.cfg.Fail), "llm/scripted: reply", "as the script says")
}

// pause waits for d or until ctx is done, and returns the latter's error.
func pause(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil || d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
