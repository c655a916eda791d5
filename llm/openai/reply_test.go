package openai

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/fault"
)

func TestSpeaksAsTokensCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(_ int, w *stream) {
			w.sleep(200 * time.Millisecond)
			w.tokens("It", " is", " late.")
			w.sleep(time.Second)
			w.tokens(" Good", " night.")
			w.finish("stop")
		})
		a := ask(t.Context(), s.engine(nil), question("hello"))
		if a.err != nil || a.text() != "It is late. Good night." || len(a.texts) != 5 {
			t.Fatalf("got %v", a)
		}
		if a.first != 200*time.Millisecond || a.total != 1200*time.Millisecond {
			t.Errorf("first after %v, all after %v", a.first, a.total)
		}
	})
}

func always(status int, body string, headers ...string) handle {
	return func(_ int, w *stream) { w.fail(status, body, headers...) }
}

// once answers with first, and then well.
func once(first handle) handle {
	return func(n int, w *stream) {
		if n == 0 {
			first(n, w)
			return
		}
		w.say("Fine.")
	}
}

func stallAfter(n int) handle {
	return func(_ int, w *stream) {
		w.tokens(strings.Split("a b c d e ", " ")[:n]...)
		w.hang()
	}
}

// What goes wrong, what is heard of it, and when it is over, in fake time.
func TestFaults(t *testing.T) {
	const second, ms = time.Second, time.Millisecond
	tests := map[string]struct {
		handle   handle
		want     fault.Kind
		text     string
		requests int
		min, max time.Duration // when it is over
	}{
		"no first token":      {stallAfter(0), fault.Stalled, "", 1, 5 * second, 5 * second},
		"stall after 1":       {stallAfter(1), fault.Stalled, "a", 1, 1500 * ms, 1500 * ms},
		"stall after 5":       {stallAfter(5), fault.Stalled, "abcde", 1, 1500 * ms, 1500 * ms},
		"only the head":       {func(_ int, w *stream) { w.line(": hello"); w.hang() }, fault.Stalled, "", 1, 5 * second, 5 * second},
		"401":                 {always(401, `{"error":{"code":"invalid_api_key"}}`), fault.Unauthorized, "", 1, 0, 0},
		"404":                 {always(404, `{"error":{"code":"model_not_found"}}`), fault.Misconfigured, "", 1, 0, 0},
		"500 always":          {always(500, "{}"), fault.Failed, "", 3, 600 * ms, 750 * ms},
		"500 once":            {once(always(500, "{}")), "", "Fine.", 2, 200 * ms, 250 * ms},
		"429, back in 1 s":    {once(always(429, "{}", "Retry-After", "1")), "", "Fine.", 2, second, second},
		"429, back in 20 s":   {once(always(429, "{}", "Retry-After", "20")), fault.RateLimited, "", 1, 0, 0},
		"429, nobody knows":   {once(always(429, "{}")), "", "Fine.", 2, 200 * ms, 250 * ms},
		"429, quota":          {once(always(429, `{"error":{"code":"insufficient_quota"}}`)), fault.RateLimited, "", 1, 0, 0},
		"reset at once":       {once(func(_ int, w *stream) { w.reset() }), "", "Fine.", 2, 200 * ms, 250 * ms},
		"reset after text":    {once(func(_ int, w *stream) { w.tokens("Well"); w.reset() }), fault.Unreachable, "Well", 1, 0, 0},
		"error after text":    {once(func(_ int, w *stream) { w.tokens("Well"); w.line(`data: {"error":{"message":"x"}}`) }), fault.Failed, "Well", 1, 0, 0},
		"error before text":   {once(func(_ int, w *stream) { w.line(`data: {"error":{"message":"x"}}`) }), "", "Fine.", 2, 200 * ms, 250 * ms},
		"JSON error with 200": {always(200, `{"error":{"message":"x","type":"server_error"}}`), fault.Failed, "", 3, 600 * ms, 750 * ms},
		"web page":            {func(_ int, w *stream) { w.Header().Set("Content-Type", "text/html"); w.line("<html>") }, fault.Misconfigured, "", 1, 0, 0},
		"not JSON":            {func(_ int, w *stream) { w.line("data: hello") }, fault.Failed, "", 3, 600 * ms, 750 * ms},
		"empty":               {func(_ int, w *stream) { w.say() }, fault.Failed, "", 3, 600 * ms, 750 * ms},
		"blank":               {func(_ int, w *stream) { w.say(" ", "\n") }, fault.Failed, "", 3, 600 * ms, 750 * ms},
		"thought too long":    {func(_ int, w *stream) { w.tokens("<think>", "hm"); w.finish("length") }, fault.Misconfigured, "", 1, 0, 0},
		"no end mark":         {func(_ int, w *stream) { w.tokens("Well.") }, "", "Well.", 1, 0, 0},
		"no end after reason": {func(_ int, w *stream) {
			w.tokens("Well.")
			w.line(`data: {"choices":[{"delta":{},"finish_reason":"stop"}]}`)
			w.hang()
		}, "", "Well.", 1, 250 * ms, 250 * ms},
		"other choices": {func(_ int, w *stream) {
			w.line(`data: {"choices":[{"index":1,"delta":{"content":"No."}}]}`)
			w.say("Yes.")
		}, "", "Yes.", 1, 0, 0},
		"refusal":                {func(_ int, w *stream) { w.delta(`{"refusal":"I cannot."}`); w.finish("stop") }, "", "I cannot.", 1, 0, 0},
		"slow, then out of time": {func(n int, w *stream) { w.sleep(4900 * ms); w.fail(500, "{}") }, fault.Failed, "", 1, 4900 * ms, 4900 * ms},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, test.handle)
				a := ask(t.Context(), s.engine(nil), question("hello"))
				if fault.KindOf(a.err) != test.want || a.text() != test.text {
					t.Errorf("got %v", a)
				}
				if s.count() != test.requests {
					t.Errorf("asked %d times, want %d", s.count(), test.requests)
				}
				if a.total < test.min || a.total > test.max {
					t.Errorf("over after %v, want %v to %v", a.total, test.min, test.max)
				}
				if a.err != nil && strings.Contains(a.err.Error(), "secret") {
					t.Errorf("shows the key: %v", a.err)
				}
			})
		})
	}
}

func TestCancelHangsUp(t *testing.T) {
	tests := map[string]handle{
		"before the head":   func(_ int, w *stream) { w.hang() },
		"before a token":    func(_ int, w *stream) { w.delta(`{"role":"assistant"}`); w.hang() },
		"after a token":     func(_ int, w *stream) { w.tokens("Well"); w.hang() },
		"between the tries": func(_ int, w *stream) { w.fail(429, "{}", "Retry-After", "2") },
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, h)
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				a := ask(ctx, s.engine(nil), question("hello"))
				if fault.KindOf(a.err) != fault.Canceled || a.total != time.Second {
					t.Errorf("got %v", a)
				}
				if name != "between the tries" {
					<-s.gone
				}
			})
		})
	}
	t.Run("deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t, func(_ int, w *stream) { w.hang() })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if a := ask(ctx, s.engine(nil), question("hello")); fault.KindOf(a.err) != fault.Stalled || a.total != time.Second {
				t.Errorf("got %v", a)
			}
		})
	})
}

// Leaving the loop hangs up, so that no more tokens are made, and at once.
func TestBreakHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(_ int, w *stream) { w.tokens("a", "b"); w.hang() })
		start := time.Now()
		for range s.engine(nil).Reply(t.Context(), question("hello")) {
			break
		}
		<-s.gone
		if time.Since(start) != 0 {
			t.Errorf("took %v", time.Since(start))
		}
	})
}

// Text that had arrived with the first piece is not yielded after cancel.
func TestSilentOnceCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(_ int, w *stream) { w.say("a", "b", "c") })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var texts []string
		for d, err := range s.engine(nil).Reply(ctx, question("hello")) {
			if err == nil {
				texts = append(texts, d.Text)
			}
			synctest.Wait()
			cancel()
		}
		if len(texts) != 1 {
			t.Errorf("got %q", texts)
		}
	})
}

// A slow consumer does not trip the watchdog.
func TestPatientWithConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(_ int, w *stream) { w.say("a", "b", "c") })
		var b strings.Builder
		for d, err := range s.engine(nil).Reply(t.Context(), question("hello")) {
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(d.Text)
			time.Sleep(time.Minute)
		}
		if b.String() != "abc" {
			t.Errorf("got %q", b.String())
		}
	})
}

func TestEndless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(_ int, w *stream) {
			for w.ctx.Err() == nil {
				w.tokens("more and ")
			}
			w.server.gone <- struct{}{}
		})
		a := ask(t.Context(), s.engine(func(c *Config) { c.MaxChars = 100 }), question("hello"))
		if a.err != nil || len(a.text()) != 100 {
			t.Errorf("got %d bytes, %v", len(a.text()), a.err)
		}
		<-s.gone
	})
}

// Thinking that can be seen earns more time, but not all the time.
func TestThinking(t *testing.T) {
	think := func(piece string, seconds int, last ...string) handle {
		return func(_ int, w *stream) {
			for range seconds {
				w.delta(piece)
				w.sleep(time.Second)
			}
			w.say(last...)
		}
	}
	tests := map[string]struct {
		handle handle
		change func(*Config)
		want   fault.Kind
		text   string
		after  time.Duration
	}{
		"reasoning field":   {think(`{"reasoning":"hm"}`, 10, "Yes."), nil, "", "Yes.", 10 * time.Second},
		"reasoning_content": {think(`{"reasoning_content":"hm"}`, 10, "Yes."), nil, "", "Yes.", 10 * time.Second},
		"tags":              {think(`{"content":"<think>hm"}`, 10, "</think>\n\nYes."), nil, "", "Yes.", 10 * time.Second},
		"never opened": {think(`{"content":"hm"}`, 10, "</think>", "\n", "Yes."),
			func(c *Config) { c.StartsThinking = true }, "", "Yes.", 10 * time.Second},
		"for ever":        {think(`{"reasoning":"hm"}`, 100), nil, fault.Stalled, "", 20 * time.Second},
		"silent in there": {think(`{"content":"<think>"}`, 1), nil, fault.Failed, "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, test.handle)
				a := ask(t.Context(), s.engine(test.change), question("hello"))
				if fault.KindOf(a.err) != test.want || a.text() != test.text || test.after > 0 && a.total != test.after {
					t.Errorf("got %v", a)
				}
			})
		})
	}
}

func TestToolsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *server
		s = newServer(t, func(n int, w *stream) {
			if len(s.request(n).Tools) > 0 {
				w.fail(400, `{"error":{"message":"m does not support tools"}}`)
				return
			}
			w.say("Fine.")
		})
		e := s.engine(nil)
		for range 2 {
			if a := ask(t.Context(), e, question("hello")); a.err != nil || a.text() != "Fine." || a.total != 0 {
				t.Errorf("got %v", a)
			}
		}
		if s.count() != 3 {
			t.Errorf("asked %d times, want 3: the refusal is remembered", s.count())
		}
	})
}

// A 400 that is not about tools is reported as such, and tools stay on offer.
func TestBadRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(n int, w *stream) {
			if n < 2 {
				w.fail(400, `{"error":{"code":"context_length_exceeded"}}`)
				return
			}
			w.say("Fine.")
		})
		e := s.engine(nil)
		if a := ask(t.Context(), e, question("hello")); fault.KindOf(a.err) != fault.BadInput {
			t.Errorf("got %v", a)
		}
		if a := ask(t.Context(), e, question("hello")); a.text() != "Fine." || len(s.request(2).Tools) != 2 {
			t.Errorf("got %v with %d tools", a, len(s.request(2).Tools))
		}
	})
}

// Replies one after the other share a connection.
func TestKeepsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, func(_ int, w *stream) { w.say("Fine."); w.sleep(5 * time.Millisecond) })
		e := s.engine(func(c *Config) { c.Model = "" })
		if err := e.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if a := ask(t.Context(), e, question("hello")); a.err != nil {
				t.Fatal(a.err)
			}
		}
		if s.opened != 1 {
			t.Errorf("opened %d connections", s.opened)
		}
	})
}
