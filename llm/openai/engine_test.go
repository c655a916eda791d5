package openai

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"parley/internal/fault"
	"parley/llm"
	"parley/llm/llmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The suite runs over real sockets.
func TestConformance(t *testing.T) {
	serve := func(h handle) func(t *testing.T) llm.Model {
		return func(t *testing.T) llm.Model {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h(0, &stream{ResponseWriter: w, ctx: r.Context()})
			}))
			t.Cleanup(s.Close)
			cfg := DefaultConfig()
			cfg.BaseURL, cfg.Model = s.URL+"/v1", "m"
			e, err := New(cfg, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = e.Close() })
			return e
		}
	}
	llmtest.Suite{
		New:     serve(func(_ int, w *stream) { w.say("It", " is", " late.") }),
		Stalled: serve(func(_ int, w *stream) { w.tokens("Well"); <-w.ctx.Done() }),
	}.Run(t)
}

func TestPick(t *testing.T) {
	tests := []struct {
		names string
		want  string
	}{
		{"llama3.2 qwen3", "llama3.2"},
		{"nomic-embed-text Whisper-1 qwen3", "qwen3"},
		{"gpt-3.5-turbo gpt-4o-mini gpt-4.1-mini dall-e-3", "gpt-4.1-mini"},
		{"text-embedding-3-small tts-1 omni-moderation-latest", ""},
		{"", ""},
	}
	for _, test := range tests {
		if got := pick(strings.Fields(test.names)); got != test.want {
			t.Errorf("%q: got %q, want %q", test.names, got, test.want)
		}
	}
}

func TestCheck(t *testing.T) {
	s := newServer(t, func(_ int, w *stream) { w.say("Fine.") })
	for model, want := range map[string]fault.Kind{"": "", "qwen3": "", "gone": fault.Misconfigured} {
		err := s.engine(func(c *Config) { c.Model = model }).Check(t.Context())
		if fault.KindOf(err) != want {
			t.Errorf("model %q: got %v", model, err)
		}
	}
	e := s.engine(func(c *Config) { c.Model = "" })
	if a := ask(t.Context(), e, question("hello")); a.err != nil {
		t.Fatal(a.err)
	}
	if name, err := e.Model(t.Context()); name != "llama3.2" || err != nil || s.request(0).Model != "llama3.2" {
		t.Errorf("chose %q, %v", name, err)
	}
}

// A server without a list of models passes where the model is configured.
func TestCheckWithoutList(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	for model, want := range map[string]fault.Kind{"m": "", "": fault.Misconfigured} {
		cfg := DefaultConfig()
		cfg.BaseURL, cfg.Model = s.URL, model
		e, err := New(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Check(t.Context()); fault.KindOf(err) != want {
			t.Errorf("model %q: got %v", model, err)
		}
		_ = e.Close()
	}
}

func TestValidate(t *testing.T) {
	bad := map[string]func(*Config){
		"base_url":            func(c *Config) { c.BaseURL = "nonsense" },
		"first_token_timeout": func(c *Config) { c.FirstTokenTimeout = 0 },
		"idle_timeout":        func(c *Config) { c.IdleTimeout = -1 },
		"think_timeout":       func(c *Config) { c.ThinkTimeout = -1 },
		"retries":             func(c *Config) { c.Retries = 11 },
		"max_tokens":          func(c *Config) { c.MaxTokens = -1 },
		"max_chars":           func(c *Config) { c.MaxChars = 0 },
		"max_history":         func(c *Config) { c.MaxHistory = 1 },
		"max_history_chars":   func(c *Config) { c.MaxHistoryChars = 0 },
		"temperature":         func(c *Config) { hot := 3.0; c.Temperature = &hot },
	}
	for name, change := range bad {
		cfg := DefaultConfig()
		change(&cfg)
		if _, err := New(cfg, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}
