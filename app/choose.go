package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"parley/internal/endpoint"
	"parley/internal/fault"
	"parley/stt/pocketsphinx"
	"parley/tts/espeak"
	"parley/tts/flite"
)

// choice is an engine and why it was taken.
type choice struct {
	engine, why string
	// lack says what callers miss because parley, left to choose, found nothing
	// better, and fix what to do about it. Both are empty where nothing is missed.
	lack, fix string
	fallback  bool // what should have been chosen cannot start
	// address and key name the settings that say where an endpoint is and what
	// it wants; empty where that is the stage's own base_url and api_key.
	address, key string
}

// tell logs a choice, as a warning where it is not what it should be.
func (c choice) tell(log *slog.Logger, stage string) {
	level, args := slog.LevelInfo, []any{"stage", stage, "engine", c.engine, "why", c.why}
	if c.fallback {
		level, args = slog.LevelWarn, append(args, "lack", c.lack, "fix", c.fix)
	}
	log.Log(context.Background(), level, "engine chosen", args...)
}

// choices are what was chosen for each stage, "vad" among them once it is known.
type choices map[string]choice

// names maps each stage to the engine that serves it.
func (c choices) names() map[string]string {
	names := map[string]string{}
	for stage, chosen := range c {
		names[stage] = chosen.engine
	}
	return names
}

// notes are what a person should know before the first call, in sentences.
func (c choices) notes() []string {
	var notes []string
	for _, stage := range slices.Sorted(maps.Keys(c)) {
		if chosen := c[stage]; chosen.lack != "" {
			notes = append(notes, strings.Join([]string{sentence(chosen.lack), sentence(chosen.why), sentence(chosen.fix)}, " "))
		}
	}
	return notes
}

// sentence begins text, of at least one ASCII letter, with a capital and ends it
// with a full stop.
func sentence(text string) string {
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// choose picks an engine for each stage. It may fill in where the language
// model and the other services are: what the environment says, or an Ollama.
func choose(ctx context.Context, cfg *Config) choices {
	found := endpoint.Config{BaseURL: os.Getenv("OPENAI_BASE_URL"), APIKey: endpoint.Secret(os.Getenv("OPENAI_API_KEY"))}
	given := map[string]bool{"llm": fill(&cfg.LLM.OpenAI.BaseURL, &cfg.LLM.OpenAI.APIKey, found)}
	// The variables are known to mean a language model. Where they are, there may
	// be no speech services, so these are taken from them only when asked for.
	if cfg.STT.Engine == "openai" {
		given["stt"] = fill(&cfg.STT.OpenAI.BaseURL, &cfg.STT.OpenAI.APIKey, found)
	}
	if cfg.TTS.Engine == "openai" {
		given["tts"] = fill(&cfg.TTS.OpenAI.BaseURL, &cfg.TTS.OpenAI.APIKey, found)
	}
	chosen := choices{
		"stt": chooseSTT(cfg.STT), "llm": chooseLLM(ctx, &cfg.LLM, given["llm"]), "tts": chooseTTS(cfg.TTS),
	}
	for stage, c := range chosen {
		if given[stage] && c.engine == "openai" {
			c.address, c.key = "OPENAI_BASE_URL", "OPENAI_API_KEY"
			chosen[stage] = c
		}
	}
	return chosen
}

// fill takes over the variables that every OpenAI client knows, both or none,
// where the configuration itself says nothing. It tells whether they said anything.
func fill(baseURL *string, key *endpoint.Secret, from endpoint.Config) bool {
	if *baseURL != "" || *key != "" {
		return false
	}
	*baseURL, *key = from.BaseURL, from.APIKey
	return *baseURL != "" || *key != ""
}

func chooseSTT(c STTConfig) choice {
	switch {
	case c.Engine != Auto:
		return choice{engine: c.Engine, why: "stt.engine says so"}
	case c.OpenAI.BaseURL != "":
		return choice{engine: "openai", why: "stt.openai.base_url is set"}
	}
	err := pocketsphinx.Check(c.Pocketsphinx)
	if err == nil {
		return choice{engine: "pocketsphinx", why: "the embedded default"}
	}
	return choice{
		engine: "unassigned", why: "PocketSphinx cannot start: " + reason(err),
		lack: "speech is not understood; callers can only write",
		fix:  "run scripts/setup.sh, or set stt.openai.base_url", fallback: true,
	}
}

func chooseTTS(c TTSConfig) choice {
	switch {
	case c.Engine != Auto:
		return choice{engine: c.Engine, why: "tts.engine says so"}
	case c.OpenAI.BaseURL != "":
		return choice{engine: "openai", why: "tts.openai.base_url is set"}
	}
	first := flite.Check(c.Flite)
	if first == nil {
		return choice{engine: "flite", why: "the embedded default"}
	}
	second := espeak.Check(c.Espeak)
	if second == nil {
		return choice{
			engine: "espeak", why: "flite cannot start: " + reason(first),
			lack: "answers are spoken by espeak, which sounds worse than flite",
			fix:  "run scripts/setup.sh and build again, or set tts.openai.base_url", fallback: true,
		}
	}
	return choice{
		engine: "unassigned", why: fmt.Sprintf("flite cannot start: %s; nor can espeak: %s", reason(first), reason(second)),
		lack: "answers are not spoken, only written",
		fix:  "run scripts/setup.sh, or set tts.openai.base_url", fallback: true,
	}
}

// chooseLLM may find an Ollama, and then points c at it. given says that c's
// endpoint is that of the environment.
func chooseLLM(ctx context.Context, c *LLMConfig, given bool) choice {
	ollama := ollamaURL(os.Getenv("OLLAMA_HOST"))
	switch {
	case c.Engine != Auto:
		return choice{engine: c.Engine, why: "llm.engine says so"}
	case c.OpenAI.BaseURL != "" && given:
		return choice{engine: "openai", why: "OPENAI_BASE_URL is set"}
	case c.OpenAI.BaseURL != "":
		return choice{engine: "openai", why: "llm.openai.base_url is set"}
	case c.OpenAI.APIKey != "" && given:
		return choice{engine: "openai", why: "OPENAI_API_KEY is set"}
	case c.OpenAI.APIKey != "":
		return choice{engine: "openai", why: "llm.openai.api_key is set"}
	case ollamaAnswers(ctx, ollama):
		c.OpenAI.BaseURL = ollama
		return choice{engine: "openai", why: "an Ollama answers at " + ollama, address: "OLLAMA_HOST"}
	}
	return choice{
		engine: "builtin", why: "no endpoint is set and no Ollama answers at " + ollama,
		lack: "answers come from the built-in assistant, which knows a few things and no more",
		fix:  "for a real model, start Ollama, or set OPENAI_API_KEY or llm.openai.base_url",
	}
}

// ollamaURL is where the machine's Ollama answers: where OLLAMA_HOST, as Ollama's
// own programs read it, says, or at its usual port.
func ollamaURL(host string) string {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(host), "://")
	port := map[string]string{"http": "80", "https": "443"}[scheme]
	if !ok {
		scheme, rest, port = "http", scheme, "11434"
	}
	rest, path, _ := strings.Cut(rest, "/")
	name, given, err := net.SplitHostPort(rest)
	if err != nil {
		name, given = strings.Trim(rest, "[]"), ""
	}
	if ip := net.ParseIP(name); name == "" || ip != nil && ip.IsUnspecified() {
		name = "127.0.0.1"
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(name, cmp.Or(given, port)), Path: "/" + path}
	return u.JoinPath("v1").String()
}

// ollamaAnswers costs next to nothing where none runs: a refused connection.
func ollamaAnswers(ctx context.Context, base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return false
	}
	conn.Close()
	return endpoint.Probe(ctx, endpoint.Config{BaseURL: base}) == nil
}

// reason is what went wrong, without the places it passed.
func reason(err error) string {
	var f *fault.Error
	for errors.As(err, &f) && f.Err != nil {
		err, f = f.Err, nil
	}
	return withoutPlace(err.Error())
}
