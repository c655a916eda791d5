package unassigned

import (
	"context"
	"errors"
	"strings"
	"testing"

	"parley/internal/fault"
	"parley/llm"
)

func TestSaysWhy(t *testing.T) {
	for reason, want := range map[string]string{"": "no language model is configured", "not built in": "not built in"} {
		e, err := New(Config{Reason: reason}, nil)
		if err != nil {
			t.Fatal(err)
		}
		elements := 0
		for d, err := range e.Reply(t.Context(), llm.Prompt{}) {
			elements++
			if d != (llm.Delta{}) || fault.KindOf(err) != fault.Misconfigured || !strings.Contains(err.Error(), want) {
				t.Errorf("got %+v, %v", d, err)
			}
		}
		if elements != 1 {
			t.Errorf("got %d elements", elements)
		}
		if err := e.Check(t.Context()); fault.KindOf(err) != fault.Misconfigured {
			t.Errorf("check: got %v", err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, _ := New(Config{}, nil)
	for _, err := range e.Reply(ctx, llm.Prompt{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}
