// Package openai speaks through any server with the OpenAI speech API
// (POST /v1/audio/speech): the cloud, Kokoro, Piper, Speaches, vLLM. Each clause
// is a request of its own, played from its first byte; the next clause's is made
// while the present one is heard.
//
// May import: audio, internal/endpoint, internal/fault, tts, its helpers, the
// OpenAI client and the standard library.
// Concurrency: an Engine is safe for concurrent use; its replies share one pool
// of connections.
package openai

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"parley/audio"
	"parley/internal/endpoint"
	"parley/internal/fault"
	"parley/tts"
	"parley/tts/internal/perclause"
)

// Rate is the sample rate of the voice, in Hz; other rates are converted.
const Rate = 24000

const (
	// silence is the level below which a sample is no sound.
	silence = 150
	// buffer takes in whole clauses as fast as the server sends them: a server
	// may give up on a client that reads at the pace of speech.
	buffer = 20 * time.Second
)

// Config sets the server and the voice.
type Config struct {
	BaseURL string          `koanf:"base_url" yaml:"base_url"` // with the version: "http://127.0.0.1:8880/v1"; "" is the cloud
	APIKey  endpoint.Secret `koanf:"api_key" yaml:"api_key"`
	Model   string          `koanf:"model" yaml:"model"`
	Voice   string          `koanf:"voice" yaml:"voice"`
	// Instructions say how to speak, to models that take them.
	Instructions string  `koanf:"instructions" yaml:"instructions"`
	Speed        float64 `koanf:"speed" yaml:"speed"` // 0.25 to 4

	// Format is asked of the server: "pcm" (16 bit, little-endian, mono) or
	// "wav". Either is understood whatever was asked for.
	Format string `koanf:"format" yaml:"format"`
	// PCMRate is the rate of audio without a header, in Hz, where the server's
	// answer does not say.
	PCMRate int `koanf:"pcm_rate" yaml:"pcm_rate"`

	// FirstByteTimeout is how long a clause may wait for its first audio, counted
	// from when the clause before it has been received; IdleTimeout how long for
	// each further piece.
	FirstByteTimeout time.Duration `koanf:"first_byte_timeout" yaml:"first_byte_timeout"`
	IdleTimeout      time.Duration `koanf:"idle_timeout" yaml:"idle_timeout"`
	// Retries are further attempts for a clause that failed without any audio.
	Retries int `koanf:"retries" yaml:"retries"`
}

// DefaultConfig is the cloud's, without a key.
func DefaultConfig() Config {
	return Config{
		Model: "gpt-4o-mini-tts", Voice: "alloy", Speed: 1, Format: "pcm", PCMRate: 24000,
		FirstByteTimeout: 5 * time.Second, IdleTimeout: 2 * time.Second, Retries: 1,
	}
}

// Endpoint is the part of c that says where the server is.
func (c Config) Endpoint() endpoint.Config {
	return endpoint.Config{BaseURL: c.BaseURL, APIKey: c.APIKey}
}

// Validate reports what is impossible in c.
func (c Config) Validate() error {
	if err := c.Endpoint().Validate(); err != nil {
		return fmt.Errorf("tts/openai: %w", err)
	}
	switch {
	case c.Model == "" || c.Voice == "":
		return errors.New("tts/openai: model and voice must not be empty")
	case !(c.Speed >= 0.25 && c.Speed <= 4):
		return fmt.Errorf("tts/openai: speed %v is outside 0.25 to 4", c.Speed)
	case c.Format != "pcm" && c.Format != "wav":
		return fmt.Errorf("tts/openai: format %q is neither pcm nor wav", c.Format)
	case c.PCMRate < audio.MinRate || c.PCMRate > audio.MaxRate:
		return fmt.Errorf("tts/openai: pcm_rate %d is outside %d to %d", c.PCMRate, audio.MinRate, audio.MaxRate)
	case c.FirstByteTimeout <= 0 || c.IdleTimeout <= 0:
		return errors.New("tts/openai: first_byte_timeout and idle_timeout must be more than 0")
	case c.Retries < 0 || c.Retries > 10:
		return fmt.Errorf("tts/openai: retries %d is outside 0 to 10", c.Retries)
	}
	return nil
}

// Engine speaks.
type Engine struct {
	cfg    Config
	client *endpoint.Client
	log    *slog.Logger
}

// New makes an engine; it does not ask the server. Its error is
// fault.Misconfigured. A nil log discards.
func New(cfg Config, log *slog.Logger) (*Engine, error) {
	const op = "tts/openai: start"
	if err := cfg.Validate(); err != nil {
		return nil, fault.New(fault.Misconfigured, op, err)
	}
	if cfg.BaseURL == "" && cfg.APIKey == "" {
		return nil, fault.Newf(fault.Misconfigured, op, "the cloud needs tts.openai.api_key; a server of your own, tts.openai.base_url")
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Engine{cfg: cfg, client: endpoint.NewClient(cfg.Endpoint(), endpoint.Options{}), log: log}, nil
}

// Close drops the connections kept warm.
func (e *Engine) Close() error {
	e.client.Close()
	return nil
}

// checkTimeout bounds Check.
const checkTimeout = 10 * time.Second

// Check has the server say one word: few speech servers offer anything cheaper.
func Check(cfg Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	e, err := New(cfg, nil)
	if err != nil {
		return err
	}
	defer func() { _ = e.Close() }()
	return e.newReply().say(ctx, "Yes.", func([]int16, ...tts.Word) error { return nil })
}

// Speak implements tts.Voice.
func (e *Engine) Speak(ctx context.Context, text iter.Seq[string]) iter.Seq2[tts.Speech, error] {
	return func(yield func(tts.Speech, error) bool) {
		v := perclause.Voice{Rate: Rate, Say: e.newReply().say, Buffer: buffer, Threshold: silence}
		v.Speak(ctx, text)(yield)
	}
}

// reply is the state of one stream: its clauses are received one after the
// other, though the next may be asked for before.
type reply struct {
	*Engine
	before chan struct{} // closed when the clause before has been received
}

func (e *Engine) newReply() *reply {
	received := make(chan struct{})
	close(received)
	return &reply{Engine: e, before: received}
}

// say speaks one clause. The clauses of a reply begin in order, each when the
// one before has begun to sound.
func (r *reply) say(ctx context.Context, clause string, emit perclause.Emit) error {
	before, received := r.before, make(chan struct{})
	r.before = received
	defer close(received)
	clause = trimmed(clause)
	if clause == "" {
		return nil
	}
	for attempt := 0; ; attempt++ {
		a := attemptAt{reply: r, before: before, clause: clause, emit: emit}
		err := a.run(ctx)
		if err == nil || ctx.Err() != nil || a.sounded || attempt >= r.cfg.Retries || !worthRetrying(err) {
			return err
		}
		r.log.WarnContext(ctx, "speech request failed, trying again", "host", r.cfg.Endpoint().Host(), "error", err)
	}
}

// worthRetrying holds for what a second attempt may mend at once.
func worthRetrying(err error) bool {
	var status *endpoint.StatusError
	switch fault.KindOf(err) {
	case fault.Unreachable:
		return true
	case fault.Failed:
		return errors.As(err, &status) && status.Status >= http.StatusInternalServerError
	}
	return false
}
