package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/internal/endpoint"
)

// broken returns the defaults without any embedded engine that could start.
func broken() Config {
	c := DefaultConfig()
	c.STT.Pocketsphinx.ModelDir = "/nonexistent"
	c.TTS.Flite.Voice = "nonexistent"
	c.TTS.Espeak.Command = "/nonexistent/espeak-ng"
	return c
}

func TestChooseSTT(t *testing.T) {
	tests := map[string]struct {
		change   func(c *STTConfig)
		engine   string
		why      string
		fallback bool
	}{
		"left to parley":      {func(*STTConfig) {}, "pocketsphinx", "the embedded default", false},
		"asked for":           {func(c *STTConfig) { c.Engine = "scripted" }, "scripted", "stt.engine says so", false},
		"none":                {func(c *STTConfig) { c.Engine = "unassigned" }, "unassigned", "stt.engine says so", false},
		"an endpoint":         {func(c *STTConfig) { c.OpenAI.BaseURL = "http://127.0.0.1:8000/v1" }, "openai", "stt.openai.base_url is set", false},
		"embedded all same":   {func(c *STTConfig) { c.Engine, c.OpenAI.BaseURL = "pocketsphinx", "http://127.0.0.1/v1" }, "pocketsphinx", "stt.engine says so", false},
		"no model":            {func(c *STTConfig) { c.Pocketsphinx.ModelDir = "/nonexistent" }, "unassigned", "PocketSphinx cannot start: model file: stat /nonexistent", true},
		"no model, asked for": {func(c *STTConfig) { c.Engine, c.Pocketsphinx.ModelDir = "pocketsphinx", "/nonexistent" }, "pocketsphinx", "stt.engine says so", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig().STT
			test.change(&c)
			wantChoice(t, chooseSTT(c), test.engine, test.why, test.fallback)
		})
	}
}

func wantChoice(t *testing.T, got choice, engine, why string, fallback bool) {
	t.Helper()
	if got.engine != engine || !strings.HasPrefix(got.why, why) || got.fallback != fallback {
		t.Errorf("got %q because %q, fallback %v; want %q because %q, %v", got.engine, got.why, got.fallback, engine, why, fallback)
	}
	if got.fallback && (got.lack == "" || got.fix == "") {
		t.Errorf("a person is not told what is missed (%q) and what to do (%q)", got.lack, got.fix)
	}
}

func TestChooseTTS(t *testing.T) {
	tests := map[string]struct {
		change   func(c *TTSConfig)
		engine   string
		why      string
		fallback bool
	}{
		"left to parley": {func(*TTSConfig) {}, "flite", "the embedded default", false},
		"asked for":      {func(c *TTSConfig) { c.Engine = "espeak" }, "espeak", "tts.engine says so", false},
		"none":           {func(c *TTSConfig) { c.Engine = "unassigned" }, "unassigned", "tts.engine says so", false},
		"an endpoint":    {func(c *TTSConfig) { c.OpenAI.BaseURL = "http://127.0.0.1:8000/v1" }, "openai", "tts.openai.base_url is set", false},
		"no flite":       {func(c *TTSConfig) { c.Flite.Voice = "nonexistent" }, "espeak", "flite cannot start: ", true},
		"neither": {func(c *TTSConfig) { *c = broken().TTS }, "unassigned",
			"flite cannot start: voice \"nonexistent\" is none of ", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig().TTS
			test.change(&c)
			wantChoice(t, chooseTTS(c), test.engine, test.why, test.fallback)
		})
	}
}

// ollama is what is asked of one before it is used.
func ollama(t *testing.T, status int) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/models" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"object":"list","data":[{"id":"llama3.2","object":"model"}]}`))
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestChooseLLM(t *testing.T) {
	there, ill := ollama(t, http.StatusOK), ollama(t, http.StatusInternalServerError)
	tests := map[string]struct {
		change  func(c *LLMConfig)
		environ map[string]string
		engine  string
		why     string
		at      string // llm.openai.base_url in the end
	}{
		"nothing there":      {engine: "builtin", why: "no endpoint is set and no Ollama answers at http://127.0.0.1:1/v1"},
		"asked for":          {change: func(c *LLMConfig) { c.Engine = "scripted" }, engine: "scripted", why: "llm.engine says so"},
		"none":               {change: func(c *LLMConfig) { c.Engine = "unassigned" }, engine: "unassigned", why: "llm.engine says so"},
		"an endpoint":        {change: func(c *LLMConfig) { c.OpenAI.BaseURL = "http://127.0.0.1:8000/v1" }, engine: "openai", why: "llm.openai.base_url is set", at: "http://127.0.0.1:8000/v1"},
		"a key":              {change: func(c *LLMConfig) { c.OpenAI.APIKey = "k" }, engine: "openai", why: "llm.openai.api_key is set"},
		"key in environment": {environ: map[string]string{"OPENAI_API_KEY": "k"}, engine: "openai", why: "OPENAI_API_KEY is set"},
		"URL in environment": {environ: map[string]string{"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, engine: "openai", why: "OPENAI_BASE_URL is set", at: "http://127.0.0.1:9/v1"},
		"environment is not mixed in": {
			change:  func(c *LLMConfig) { c.OpenAI.BaseURL = "http://127.0.0.1:8000/v1" },
			environ: map[string]string{"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "k"},
			engine:  "openai", why: "llm.openai.base_url is set", at: "http://127.0.0.1:8000/v1",
		},
		"an Ollama":                   {environ: map[string]string{"OLLAMA_HOST": there}, engine: "openai", why: "an Ollama answers at http://" + there + "/v1", at: "http://" + there + "/v1"},
		"an Ollama that is ill":       {environ: map[string]string{"OLLAMA_HOST": ill}, engine: "builtin", why: "no endpoint is set and no Ollama answers at http://" + ill + "/v1"},
		"builtin in spite of Ollama":  {change: func(c *LLMConfig) { c.Engine = "builtin" }, environ: map[string]string{"OLLAMA_HOST": there}, engine: "builtin", why: "llm.engine says so"},
		"an endpoint before Ollama":   {environ: map[string]string{"OLLAMA_HOST": there, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, engine: "openai", why: "OPENAI_BASE_URL is set", at: "http://127.0.0.1:9/v1"},
		"an Ollama that is not there": {environ: map[string]string{"OLLAMA_HOST": "::nonsense::"}, engine: "builtin", why: "no endpoint is set"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for name, value := range test.environ {
				t.Setenv(name, value)
			}
			cfg := DefaultConfig()
			if test.change != nil {
				test.change(&cfg.LLM)
			}
			got := choose(t.Context(), &cfg)["llm"]
			wantChoice(t, got, test.engine, test.why, false)
			if cfg.LLM.OpenAI.BaseURL != test.at {
				t.Errorf("the model is at %q, want %q", cfg.LLM.OpenAI.BaseURL, test.at)
			}
		})
	}
}

// The variables of OpenAI clients mean a language model; speech is taken from
// there only when it is asked for, and the key goes nowhere else.
func TestEnvironmentAndSpeech(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "k")
	cfg := DefaultConfig()
	cfg.TTS.Engine = "openai"
	c := choose(t.Context(), &cfg)
	if c["stt"].engine != "pocketsphinx" || c["llm"].engine != "openai" || c["tts"].engine != "openai" {
		t.Errorf("got %v", c.names())
	}
	for name, keys := range map[string][2]endpoint.Secret{
		"stt": {cfg.STT.OpenAI.APIKey, ""}, "llm": {cfg.LLM.OpenAI.APIKey, "k"}, "tts": {cfg.TTS.OpenAI.APIKey, "k"},
	} {
		if keys[0] != keys[1] {
			t.Errorf("%s: the key is %q, want %q", name, keys[0].Reveal(), keys[1].Reveal())
		}
	}
}

func TestOllamaURL(t *testing.T) {
	for host, want := range map[string]string{
		"":                           "http://127.0.0.1:11434/v1",
		"127.0.0.1":                  "http://127.0.0.1:11434/v1",
		"0.0.0.0":                    "http://127.0.0.1:11434/v1",
		"0.0.0.0:1234":               "http://127.0.0.1:1234/v1",
		":1234":                      "http://127.0.0.1:1234/v1",
		"[::]:1234":                  "http://127.0.0.1:1234/v1",
		"[::1]":                      "http://[::1]:11434/v1",
		" box.lan ":                  "http://box.lan:11434/v1",
		"http://box.lan":             "http://box.lan:80/v1",
		"https://box.lan":            "https://box.lan:443/v1",
		"https://box.lan:8443/llama": "https://box.lan:8443/llama/v1",
	} {
		if got := ollamaURL(host); got != want {
			t.Errorf("%q: got %s, want %s", host, got, want)
		}
	}
}

// An engine that was asked for and cannot start is an error; each is named.
func TestEngineAskedForCannotStart(t *testing.T) {
	cfg := broken()
	cfg.STT.Engine, cfg.TTS.Engine = "pocketsphinx", "flite"
	_, err := newEngines(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal("they started")
	}
	for _, want := range []string{
		"stt.engine is pocketsphinx, which cannot start: model file: stat /nonexistent/en-us/mdef: no such file or directory (on Debian: apt-get install pocketsphinx-en-us)",
		`tts.engine is flite, which cannot start: voice "nonexistent" is none of`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// Left to choose, parley starts without engines, and says so in the log, in the
// notes for the start message and to clients.
func TestFallback(t *testing.T) {
	var log bytes.Buffer
	e, err := newEngines(t.Context(), broken(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	if names := e.choices.names(); names["stt"] != "unassigned" || names["tts"] != "unassigned" || names["llm"] != "builtin" {
		t.Errorf("got %v", names)
	}
	for _, want := range []string{
		`level=WARN msg="engine chosen" stage=stt engine=unassigned why="PocketSphinx cannot start`,
		`level=WARN msg="engine chosen" stage=tts engine=unassigned why="flite cannot start`,
		`level=INFO msg="engine chosen" stage=llm engine=builtin`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, log.String())
		}
	}
	notes := strings.Join(e.choices.notes(), "\n")
	for _, want := range []string{
		"Speech is not understood; callers can only write. PocketSphinx cannot start: ",
		"Run scripts/setup.sh, or set stt.openai.base_url.",
		"Answers are not spoken, only written. Flite cannot start: ",
		"Answers come from the built-in assistant",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes do not say %q:\n%s", want, notes)
		}
	}
}

// Choices that were made by the operator need no comment.
func TestNoNotesForWhatWasAsked(t *testing.T) {
	cfg := DefaultConfig()
	cfg.STT.Engine, cfg.LLM.Engine, cfg.TTS.Engine = "unassigned", "builtin", "unassigned"
	if notes := choose(context.Background(), &cfg).notes(); len(notes) > 0 {
		t.Errorf("got %q", notes)
	}
}

func TestDetectors(t *testing.T) {
	here, nowhere := "../models", t.TempDir()
	tests := map[string]struct {
		engine, models string
		want           string // engine; "" for an error
		fallback       bool
	}{
		"left to parley":     {Auto, here, "silero", false},
		"silero":             {"silero", here, "silero", false},
		"energy":             {"energy", here, "energy", false},
		"no weights":         {Auto, nowhere, "energy", true},
		"silero, no weights": {"silero", nowhere, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.VAD.Engine, cfg.Models = test.engine, test.models
			if cfg.Models == here && cfg.findModel(weights) == "" {
				t.Skip("the weights are missing; scripts/setup.sh fetches them")
			}
			detectors, got, err := newDetectors(cfg)
			if test.want == "" {
				if err == nil || !strings.Contains(err.Error(), "vad.engine is silero, which cannot start") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantChoice(t, got, test.want, "", test.fallback)
			if a, b := detectors(), detectors(); a == nil || a == b {
				t.Error("calls share a detector")
			}
		})
	}
}
