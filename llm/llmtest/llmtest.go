// Package llmtest is the conformance suite of the llm port: every engine runs
// it and so keeps the promises of llm.Model.
//
// May import: llm, goleak and the standard library.
// Concurrency: the cases run one after the other.
package llmtest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/internal/fault"
	"parley/llm"
)

// patience bounds every wait. It is no measure of an engine: what was measured
// is logged.
const patience = 10 * time.Second

// Suite says how to make the engine under test.
type Suite struct {
	// New makes an engine that answers. What it needs (a server) and the engine
	// itself are closed with t.Cleanup: when a case is over no goroutine may be
	// left of them.
	New func(t *testing.T) llm.Model
	// Stalled makes an engine that gives some text, perhaps none, and then goes
	// silent for good. nil where an engine cannot.
	Stalled func(t *testing.T) llm.Model
	// Question is what the caller asks; "" means "what time is it".
	Question string
}

// Run runs the suite.
func (s Suite) Run(t *testing.T) {
	cases := []struct {
		name string
		run  func(*testing.T, llm.Model)
		make func(*testing.T) llm.Model
	}{
		{"answers", s.answers, s.New},
		{"answers again", s.answersAgain, s.New},
		{"long history", s.longHistory, s.New},
		{"early break", s.earlyBreak, s.New},
		{"cancelled before start", s.cancelledBefore, s.New},
		{"cancelled while speaking", s.cancelledWhileSpeaking, s.New},
		{"cancelled while silent", s.cancelledWhileSilent, s.Stalled},
		{"concurrent", s.concurrent, s.New},
	}
	for _, c := range cases {
		if c.make == nil {
			continue
		}
		before := goleak.IgnoreCurrent()
		t.Run(c.name, func(t *testing.T) { c.run(t, c.make(t)) })
		if err := goleak.Find(before); err != nil {
			t.Errorf("%s: left behind: %v", c.name, err)
		}
	}
}

// Prompt is the prompt that the suite uses.
func (s Suite) prompt() llm.Prompt {
	q := s.Question
	if q == "" {
		q = "what time is it"
	}
	return llm.Prompt{
		Instructions: "Answer in one short sentence.",
		Messages:     []llm.Message{{Role: llm.User, Text: q}},
		Language:     "en",
		Now:          time.Date(2026, 3, 14, 15, 9, 0, 0, time.UTC),
	}
}

// reply is what came of one call.
type reply struct {
	text  string
	texts int // deltas with text
	err   error
}

// collect reads a reply to its end and checks what holds for every stream.
// each, if not nil, is called after every delta.
func collect(t *testing.T, ctx context.Context, m llm.Model, p llm.Prompt, each func()) reply {
	t.Helper()
	var r reply
	var b strings.Builder
	for d, err := range m.Reply(ctx, p) {
		if r.err != nil {
			t.Fatalf("an element follows the error %v", r.err)
		}
		if err != nil {
			if r.err = err; d.Text != "" || d.Action != nil {
				t.Errorf("the error %v comes with a delta", err)
			}
			continue
		}
		if d.Text == "" && d.Action == nil {
			t.Error("a delta is empty")
		}
		if a := d.Action; a != nil && a.Name != llm.ActionSetTimer && a.Name != llm.ActionCancelTimers {
			t.Errorf("unknown action %q", a.Name)
		}
		if d.Text != "" {
			r.texts++
			b.WriteString(d.Text)
		}
		if each != nil {
			each()
		}
	}
	r.text = b.String()
	return r
}

func mustAnswer(t *testing.T, r reply) {
	t.Helper()
	if r.err != nil {
		t.Fatalf("got error %v", r.err)
	}
	if strings.TrimSpace(r.text) == "" {
		t.Fatal("got no text")
	}
}

func (s Suite) answers(t *testing.T, m llm.Model) {
	mustAnswer(t, collect(t, t.Context(), m, s.prompt(), nil))
}

func (s Suite) answersAgain(t *testing.T, m llm.Model) {
	for range 3 {
		mustAnswer(t, collect(t, t.Context(), m, s.prompt(), nil))
	}
}

// longHistory asks at the end of a very long call, in which one message is
// huge, some are empty and some follow others of the same role.
func (s Suite) longHistory(t *testing.T, m llm.Model) {
	p := s.prompt()
	last := p.Messages
	p.Messages = []llm.Message{{Role: llm.Assistant, Text: "Hello."}}
	for i := range 2000 {
		p.Messages = append(p.Messages, llm.Message{Role: llm.User, Text: "one more thing"})
		if i%3 != 0 {
			p.Messages = append(p.Messages, llm.Message{Role: llm.Assistant, Text: "Yes?"}, llm.Message{Role: llm.Assistant})
		}
	}
	p.Messages = append(p.Messages, llm.Message{Role: llm.User, Text: strings.Repeat("word ", 100_000)})
	p.Messages = append(p.Messages, llm.Message{Role: llm.Assistant, Text: "That was long."})
	p.Messages = append(p.Messages, last...)
	mustAnswer(t, collect(t, t.Context(), m, p, nil))
}

func (s Suite) earlyBreak(t *testing.T, m llm.Model) {
	for d, err := range m.Reply(t.Context(), s.prompt()) {
		if err != nil || d.Text == "" {
			t.Fatalf("first element: got %+v, %v", d, err)
		}
		break
	}
}

func (s Suite) cancelledBefore(t *testing.T, m llm.Model) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := within(t, func() reply { return collect(t, ctx, m, s.prompt(), nil) })
	mustBeCancelled(t, r)
	if r.texts != 0 {
		t.Errorf("got %d texts after cancel", r.texts)
	}
}

func (s Suite) cancelledWhileSpeaking(t *testing.T, m llm.Model) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var at time.Time
	r := within(t, func() reply {
		return collect(t, ctx, m, s.prompt(), func() {
			if at.IsZero() {
				at = time.Now()
				cancel()
			}
		})
	})
	t.Logf("ended %v after cancel", time.Since(at))
	mustBeCancelled(t, r)
	if r.texts != 1 {
		t.Errorf("got %d texts, want the one before cancel", r.texts)
	}
}

func (s Suite) cancelledWhileSilent(t *testing.T, m llm.Model) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var at time.Time
	timer := time.AfterFunc(50*time.Millisecond, func() { at = time.Now(); cancel() })
	defer timer.Stop()
	r := within(t, func() reply { return collect(t, ctx, m, s.prompt(), nil) })
	if ctx.Err() == nil {
		t.Fatalf("ended before cancel with %v", r.err)
	}
	t.Logf("ended %v after cancel", time.Since(at))
	mustBeCancelled(t, r)
}

func mustBeCancelled(t *testing.T, r reply) {
	t.Helper()
	if r.err != nil && !errors.Is(r.err, context.Canceled) && fault.KindOf(r.err) != fault.Canceled {
		t.Errorf("got error %v, want that of the context or none", r.err)
	}
}

// concurrent runs replies side by side, half of which are cancelled.
func (s Suite) concurrent(t *testing.T, m llm.Model) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 0 {
				mustBeCancelled(t, collect(t, ctx, m, s.prompt(), cancel))
				return
			}
			if r := collect(t, ctx, m, s.prompt(), nil); r.err != nil || strings.TrimSpace(r.text) == "" {
				t.Errorf("got %q, %v", r.text, r.err)
			}
		})
	}
	wg.Wait()
}

// within fails the test where f does not return. Its goroutine then leaks, as
// it must: it is what hangs.
func within(t *testing.T, f func() reply) reply {
	t.Helper()
	done := make(chan reply, 1)
	go func() { done <- f() }()
	select {
	case r := <-done:
		return r
	case <-time.After(patience):
		t.Fatalf("has not ended %v after cancel", patience)
		return reply{}
	}
}
