package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

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

const warmUpTime = 10 * time.Second

// engines are the parts that listen, think and speak.
type engines struct {
	stt     stt.Transcriber
	llm     llm.Model
	tts     tts.Voice
	choices choices          // by stage: "stt", "llm", "tts"
	failed  map[string]error // by stage: why the engine could not start
	closers []func()
}

func (e *engines) close() {
	for i := len(e.closers) - 1; i >= 0; i-- {
		e.closers[i]()
	}
}

// newEngines chooses and makes the engines, and says in the log what it chose.
// An engine that cannot start is an error, unless the choice was left to parley.
func newEngines(ctx context.Context, cfg Config, log *slog.Logger) (*engines, error) {
	e := startEngines(ctx, cfg, log)
	var errs []error
	for _, stage := range stages() {
		if err := e.failed[stage]; err != nil {
			errs = append(errs, fmt.Errorf("%s.engine is %s, which cannot start: %s", stage, e.choices[stage].engine, reason(err)))
		}
	}
	if len(errs) > 0 {
		e.close()
		return nil, errors.Join(errs...)
	}
	e.warmUp(ctx, log)
	for _, stage := range stages() {
		e.choices[stage].tell(log, stage)
	}
	return e, nil
}

// stages are what an engine is chosen for, in the order of a turn.
func stages() []string { return []string{"stt", "llm", "tts"} }

// startEngines chooses and makes what can be made, and keeps what failed.
func startEngines(ctx context.Context, cfg Config, log *slog.Logger) *engines {
	e := &engines{failed: map[string]error{}, choices: choose(ctx, &cfg)}
	for stage, start := range map[string]func() error{
		"stt": func() error { return e.makeSTT(cfg.STT, log.With("stage", "stt")) },
		"llm": func() error { return e.makeLLM(cfg.LLM, log.With("stage", "llm")) },
		"tts": func() error { return e.makeTTS(cfg.TTS, log.With("stage", "tts")) },
	} {
		if err := start(); err != nil {
			e.failed[stage] = err
		}
	}
	return e
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

// keep notes how an engine that started is closed.
func (e *engines) keep(engine any, err error) error {
	if err != nil {
		return err
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
		return e.keep(e.stt, err)
	default:
		e.stt = sttunassigned.Engine{}
		return nil
	}
	if err = e.keep(e.stt, err); err == nil {
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
	return e.keep(e.llm, err)
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
	return e.keep(e.tts, err)
}
