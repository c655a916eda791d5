package openai

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"parley/internal/endpoint"
	"parley/internal/fault"
	"parley/llm"
)

// answerBytes is the most that is read of one answer: text, reasoning, tool
// calls and the JSON around every token.
const answerBytes = 16 << 20

// Engine implements llm.Model.
type Engine struct {
	cfg    Config
	client *endpoint.Client
	log    *slog.Logger

	noTools atomic.Bool // the server refused tools and took the same request without

	mu    sync.Mutex
	model string // resolved name; "" until known
}

var _ llm.Model = (*Engine)(nil)

// New returns an engine; it contacts nobody yet. log may be nil. Close it when
// its last reply has ended.
func New(cfg Config, log *slog.Logger) (*Engine, error) {
	return newEngine(cfg, log, endpoint.Options{MaxBytes: answerBytes})
}

func newEngine(cfg Config, log *slog.Logger, o endpoint.Options) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Engine{
		cfg:    cfg,
		client: endpoint.NewClient(cfg.Endpoint(), o),
		log:    log.With("engine", "llm/openai", "host", cfg.Endpoint().Host()),
		model:  cfg.Model,
	}, nil
}

// Close drops the connections kept warm.
func (e *Engine) Close() error {
	e.client.Close()
	return nil
}

// Check asks the server for its models: it answers, takes the key, and has the
// model in question. A server without such a list passes when a model is
// configured. It costs no tokens, and leaves a warm connection.
func (e *Engine) Check(ctx context.Context) error {
	const op = "llm/openai: check"
	names, err := e.client.Models(ctx)
	var status *endpoint.StatusError
	if errors.As(err, &status) && status.Status == 404 && e.cfg.Model != "" {
		return nil
	}
	if err != nil {
		return err
	}
	if e.cfg.Model == "" {
		_, err := e.adopt(names)
		return err
	}
	// Ollama lists "name:latest" and answers to "name".
	if len(names) > 0 && !slices.Contains(names, e.cfg.Model) && !slices.Contains(names, e.cfg.Model+":latest") {
		return fault.Newf(fault.Misconfigured, op, "the server has no model %q; it has %s", e.cfg.Model, strings.Join(firstFew(names), ", "))
	}
	return nil
}

// Model returns the name of the model in use, asking the server where none was
// configured.
func (e *Engine) Model(ctx context.Context) (string, error) {
	e.mu.Lock()
	name := e.model
	e.mu.Unlock()
	if name != "" {
		return name, nil
	}
	names, err := e.client.Models(ctx)
	if err != nil {
		return "", err
	}
	return e.adopt(names)
}

func (e *Engine) adopt(names []string) (string, error) {
	name := pick(names)
	if name == "" {
		return "", fault.Newf(fault.Misconfigured, "llm/openai: choose model", "the server lists no model for chat")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model == "" {
		e.model = name
		e.log.Info("model chosen", "model", name)
	}
	return e.model, nil
}

// pick chooses a model from a server's list: one known to answer fast where
// the cloud offers dozens, else the first that looks like one for chat.
func pick(names []string) string {
	for _, known := range []string{"gpt-4.1-mini", "gpt-4o-mini"} {
		if slices.Contains(names, known) {
			return known
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(notChat(), func(part string) bool { return strings.Contains(strings.ToLower(name), part) }) {
			return name
		}
	}
	return ""
}

// notChat are parts of the names of models that do something else.
func notChat() []string {
	return []string{"embed", "whisper", "tts", "rerank", "bge-", "minilm", "moderation", "dall-e", "image", "transcribe",
		"realtime", "clip", "piper", "kokoro", "davinci", "babbage", "stable-diffusion", "sora"}
}

func firstFew(names []string) []string { return names[:min(len(names), 5)] }
