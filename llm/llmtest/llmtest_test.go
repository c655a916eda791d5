package llmtest

import (
	"context"
	"iter"
	"testing"
	"time"

	"parley/llm"
)

// honest is the smallest engine that keeps every promise.
func honest(ctx context.Context, _ llm.Prompt) iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		for _, word := range []string{"It ", "is ", "late."} {
			if err := ctx.Err(); err != nil {
				yield(llm.Delta{}, err)
				return
			}
			if !yield(llm.Delta{Text: word}, nil) {
				return
			}
		}
	}
}

func silent(ctx context.Context, _ llm.Prompt) iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		if yield(llm.Delta{Text: "Well"}, nil) {
			<-ctx.Done()
			yield(llm.Delta{}, context.Cause(ctx))
		}
	}
}

func TestSuitePassesAnHonestEngine(t *testing.T) {
	Suite{
		New:     func(*testing.T) llm.Model { return llm.Func(honest) },
		Stalled: func(*testing.T) llm.Model { return llm.Func(silent) },
	}.Run(t)
}

func TestCollect(t *testing.T) {
	r := collect(t, t.Context(), llm.Func(honest), Suite{Question: "how late is it"}.prompt(), nil)
	if r.text != "It is late." || r.texts != 3 || r.err != nil {
		t.Errorf("got %+v", r)
	}
	p := Suite{}.prompt()
	if p.Messages[0].Text != "what time is it" || !p.Now.Equal(time.Date(2026, 3, 14, 15, 9, 0, 0, time.UTC)) {
		t.Errorf("got %+v", p)
	}
}
