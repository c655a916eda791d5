package scripted

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/fault"
	"parley/llm"
	"parley/llm/llmtest"
)

func mustNew(t *testing.T, cfg Config) *Engine {
	t.Helper()
	e, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConformance(t *testing.T) {
	llmtest.Suite{
		New:     func(t *testing.T) llm.Model { return mustNew(t, Config{Gap: time.Millisecond}) },
		Stalled: func(t *testing.T) llm.Model { return mustNew(t, Config{Fail: Stall, After: 2}) },
	}.Run(t)
}

type heard struct {
	text string
	at   []time.Duration
	err  error
	acts []string
}

func listen(ctx context.Context, e *Engine, users int) heard {
	var h heard
	start := time.Now()
	p := llm.Prompt{}
	for range users {
		p.Messages = append(p.Messages, llm.Message{Role: llm.User, Text: "go on"}, llm.Message{Role: llm.Assistant, Text: "x"})
	}
	for d, err := range e.Reply(ctx, p) {
		h.err = err
		h.text += d.Text
		if d.Text != "" {
			h.at = append(h.at, time.Since(start))
		}
		if d.Action != nil {
			h.acts = append(h.acts, d.Action.Name)
		}
	}
	return h
}

func TestGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := mustNew(t, Config{Replies: []string{"one two three"}, FirstToken: 200 * time.Millisecond, Gap: 30 * time.Millisecond,
			Actions: []llm.Action{{Name: llm.ActionCancelTimers}}})
		h := listen(t.Context(), e, 1)
		want := []time.Duration{200 * time.Millisecond, 230 * time.Millisecond, 260 * time.Millisecond}
		if h.text != "one two three" || h.err != nil || !slices.Equal(h.at, want) || len(h.acts) != 1 {
			t.Errorf("got %+v", h)
		}
	})
}

func TestRepliesTakeTurns(t *testing.T) {
	e := mustNew(t, Config{Replies: []string{"a", "b"}})
	for users, want := range []string{"a", "a", "b", "a", "b"} {
		if h := listen(t.Context(), e, users); h.text != want {
			t.Errorf("%d messages: got %q, want %q", users, h.text, want)
		}
	}
	if h := listen(t.Context(), mustNew(t, Config{}), 1); h.text != defaultReply {
		t.Errorf("default: got %q", h.text)
	}
}

func TestFailures(t *testing.T) {
	for _, after := range []int{0, 1, 3} {
		h := listen(t.Context(), mustNew(t, Config{Replies: []string{"a b c d"}, Fail: "rate_limited", After: after}), 1)
		if fault.KindOf(h.err) != fault.RateLimited || len(strings.Fields(h.text)) != after {
			t.Errorf("after %d: got %+v", after, h)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		h := listen(ctx, mustNew(t, Config{Fail: Stall, After: 1}), 1)
		if !errors.Is(h.err, context.DeadlineExceeded) || time.Since(start) != time.Hour || len(h.at) != 1 {
			t.Errorf("stall: got %+v after %v", h, time.Since(start))
		}
	})
}

func TestValidate(t *testing.T) {
	for _, bad := range []Config{{Fail: "often"}, {Gap: -1}, {After: -1}, {FirstToken: -1}, {Replies: []string{" "}}} {
		if _, err := New(bad, nil); err == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
	if err := mustNew(t, Config{}).Check(t.Context()); err != nil {
		t.Error(err)
	}
}
