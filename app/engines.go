package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"parley/internal/endpoint"
	"parley/llm"
	llmbuiltin "parley/llm/builtin"
	llmopenai "parley/llm/openai"
	llmscripted "parley/llm/scripted"
	llmunassigned "parley/llm/unassigned"
	"parley/stt"
	"parley/stt/guard"
	sttopenai "parley/stt/openai"
	"parley/stt/pocketsphinx"
	sttscripted "parley/stt/scripted"
	sttunassigned "parley/stt/unassigned"
	"parley/tts"
	"parley/tts/espeak"
	"parley/tts/flite"
	ttsopenai "parley/tts/openai"
	ttsscripted "parley/tts/scripted"
	ttsunassigned "parley/tts/unassigned"
)

// ollamaURL is where a local Ollama answers unless it was told otherwise.
const ollamaURL = "http://127.0.0.1:11434/v1"

const warmUpTime = 10 * time.Second

// choice is an engine and why it was taken.
type choice struct{ engine, why string }

// engines are the parts that listen, think and speak.
type engines struct {
	stt     stt.Transcriber
	llm     llm.Model
	tts     tts.Voice
	vad     string
	choices map[string]choice // by stage: "stt", "llm", "tts"
	closers []func()
}

// names maps each stage to the engine that serves it.
func (e *engines) names() map[string]string {
	names := map[string]string{}
	for stage, c := range e.choices {
		names[stage] = c.engine
	}
	if e.vad != "" {
		names["vad"] = e.vad
	}
	return names
}

func (e *engines) close() {
	for i := len(e.closers) - 1; i >= 0; i-- {
		e.closers[i]()
	}
}

// newEngines chooses and makes the engines, and says in the log what it chose.
func newEngines(ctx context.Context, cfg Config, log *slog.Logger) (*engines, error) {
	cfg.LLM.OpenAI = openAIFromEnviron(cfg.LLM.OpenAI)
	e := &engines{choices: map[string]choice{
		"stt": chooseSTT(cfg.STT), "llm": chooseLLM(ctx, &cfg.LLM), "tts": chooseTTS(cfg.TTS),
	}}
	err := errors.Join(
		e.makeSTT(cfg.STT, log.With("stage", "stt")),
		e.makeLLM(cfg.LLM, log.With("stage", "llm")),
		e.makeTTS(cfg.TTS, log.With("stage", "tts")),
	)
	if err != nil {
		e.close()
		return nil, err
	}
	e.warmUp(ctx, log)
	for stage, c := range e.choices {
		log.Info("engine chosen", "stage", stage, "engine", c.engine, "why", c.why)
	}
	return e, nil
}

// warmUp opens the connection to the language model and finds out which it is,
// so that the first caller need not wait for that. It does not delay the start;
// an endpoint that is down is said in the log and tried again at each turn.
func (e *engines) warmUp(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, warmUpTime)
	var work sync.WaitGroup
	if c, ok := e.llm.(interface{ Check(context.Context) error }); ok {
		work.Go(func() {
			if err := c.Check(ctx); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
				log.Warn("the language model does not answer yet", "engine", e.choices["llm"].engine, "err", err)
			}
		})
	}
	e.closers = append(e.closers, func() { cancel(); work.Wait() })
}

// openAIFromEnviron takes over the variables that every OpenAI client knows,
// where the configuration itself says nothing.
func openAIFromEnviron(c llmopenai.Config) llmopenai.Config {
	if c.BaseURL == "" && c.APIKey == "" {
		c.BaseURL = os.Getenv("OPENAI_BASE_URL")
		c.APIKey = endpoint.Secret(os.Getenv("OPENAI_API_KEY"))
	}
	return c
}

func chooseSTT(c STTConfig) choice {
	switch {
	case c.Engine != Auto:
		return choice{c.Engine, "stt.engine says so"}
	case c.OpenAI.BaseURL != "":
		return choice{"openai", "stt.openai.base_url is set"}
	default:
		return choice{"pocketsphinx", "the embedded default"}
	}
}

func chooseTTS(c TTSConfig) choice {
	switch {
	case c.Engine != Auto:
		return choice{c.Engine, "tts.engine says so"}
	case c.OpenAI.BaseURL != "":
		return choice{"openai", "tts.openai.base_url is set"}
	default:
		return choice{"flite", "the embedded default"}
	}
}

// chooseLLM may find an Ollama, and then points c at it.
func chooseLLM(ctx context.Context, c *LLMConfig) choice {
	switch {
	case c.Engine != Auto:
		return choice{c.Engine, "llm.engine says so"}
	case c.OpenAI.BaseURL != "" || c.OpenAI.APIKey != "":
		return choice{"openai", "an endpoint or key is set (llm.openai, OPENAI_BASE_URL or OPENAI_API_KEY)"}
	case ollamaAnswers(ctx):
		c.OpenAI.BaseURL = ollamaURL
		return choice{"openai", "an Ollama answers at " + ollamaURL}
	default:
		return choice{"builtin", "no endpoint is set and no Ollama answers"}
	}
}

// ollamaAnswers costs next to nothing where none runs: a refused connection.
func ollamaAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", "127.0.0.1:11434")
	if err != nil {
		return false
	}
	conn.Close()
	return endpoint.Probe(ctx, endpoint.Config{BaseURL: ollamaURL}) == nil
}

// keep notes how an engine is closed and passes on its error with the stage.
func (e *engines) keep(stage string, engine any, err error) error {
	if err != nil {
		return fmt.Errorf("%s engine %q cannot start: %w", stage, e.choices[stage].engine, err)
	}
	switch c := engine.(type) {
	case interface{ Close() }:
		e.closers = append(e.closers, c.Close)
	case interface{ Close() error }:
		e.closers = append(e.closers, func() { _ = c.Close() })
	}
	return nil
}

func (e *engines) makeSTT(c STTConfig, log *slog.Logger) (err error) {
	switch e.choices["stt"].engine {
	case "pocketsphinx":
		e.stt, err = pocketsphinx.New(c.Pocketsphinx, log)
	case "openai":
		e.stt, err = sttopenai.New(c.OpenAI, log)
	case "scripted":
		e.stt, err = sttscripted.New(c.Scripted)
		return e.keep("stt", e.stt, err)
	default:
		e.stt = sttunassigned.Engine{}
		return nil
	}
	if err = e.keep("stt", e.stt, err); err == nil {
		e.stt, err = guard.New(e.stt, c.Guard, log)
	}
	return err
}

func (e *engines) makeLLM(c LLMConfig, log *slog.Logger) (err error) {
	switch e.choices["llm"].engine {
	case "openai":
		e.llm, err = llmopenai.New(c.OpenAI, log)
	case "builtin":
		e.llm, err = llmbuiltin.New(llmbuiltin.Config{}, log)
	case "scripted":
		e.llm, err = llmscripted.New(c.Scripted, log)
	default:
		e.llm, err = llmunassigned.New(llmunassigned.Config{}, log)
	}
	return e.keep("llm", e.llm, err)
}

func (e *engines) makeTTS(c TTSConfig, log *slog.Logger) (err error) {
	switch e.choices["tts"].engine {
	case "flite":
		e.tts, err = flite.New(c.Flite, log)
	case "espeak":
		e.tts, err = espeak.New(c.Espeak, log)
	case "openai":
		e.tts, err = ttsopenai.New(c.OpenAI, log)
	case "scripted":
		e.tts, err = ttsscripted.New(c.Scripted, log)
	default:
		e.tts = ttsunassigned.Engine{}
	}
	return e.keep("tts", e.tts, err)
}
