package openai

import (
	"context"
	"iter"
	"log/slog"
	"sync/atomic"

	"parley/audio"
	"parley/internal/endpoint"
	"parley/stt"
	"parley/stt/internal/capture"
)

// answerBytes is the most that is read of one answer.
const answerBytes = 1 << 20

// Stats counts requests since the start.
type Stats struct {
	Sent      uint64 // attempts
	Retried   uint64 // attempts after a failed one
	Abandoned uint64 // requests given up: the speaker went on, or nobody wanted the answer
}

// Engine is a recogniser behind the OpenAI API.
type Engine struct {
	cfg    Config
	client *endpoint.Client
	log    *slog.Logger

	sent, retried, abandoned atomic.Uint64
}

var _ stt.Transcriber = (*Engine)(nil)

// New returns an engine; it contacts nobody yet. Close it when its last stream
// has ended.
func New(cfg Config, log *slog.Logger) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if cfg.Model == "" {
		cfg.Model = DefaultModel
	}
	client := endpoint.NewClient(cfg.Endpoint(), endpoint.Options{MaxBytes: answerBytes})
	client.HTTP.Transport = &inspector{next: client.HTTP.Transport}
	return &Engine{
		cfg: cfg, client: client,
		log: log.With("engine", "stt/openai", "host", cfg.Endpoint().Host()),
	}, nil
}

// Close drops the connections kept warm.
func (e *Engine) Close() { e.client.Close() }

// Stats returns what was counted so far.
func (e *Engine) Stats() Stats {
	return Stats{Sent: e.sent.Load(), Retried: e.retried.Load(), Abandoned: e.abandoned.Load()}
}

// Transcribe implements stt.Transcriber. Frames must be at 16 kHz, else the
// error is fault.BadInput; others are as endpoint.Classify has them.
func (e *Engine) Transcribe(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
	return func(yield func(stt.Transcript, error) bool) {
		u := utterance{e: e, ctx: ctx, sound: capture.Buffer{Limit: audio.DurationToSamples(e.cfg.MaxUtterance, audio.SpeechRate)}}
		defer u.drop()
		for f := range speech {
			if ctx.Err() != nil {
				break
			}
			if err := u.add(f); err != nil {
				yield(stt.Transcript{}, err)
				return
			}
		}
		tr, err := u.final()
		yield(tr, err)
	}
}

// utterance is one caller's speech, and the request that is to understand it.
type utterance struct {
	e     *Engine
	ctx   context.Context
	sound capture.Buffer
	guess *request
}

// request is a transcription under way. done is closed when it has ended.
type request struct {
	cancel context.CancelFunc
	done   chan struct{}
	result stt.Transcript
	err    error
}

func (u *utterance) add(f audio.Frame) error {
	change, err := u.sound.Add(f)
	switch change {
	case capture.Resumed:
		u.drop()
	case capture.Full:
		u.e.log.Warn("utterance is too long; the rest is ignored", "kept", u.e.cfg.MaxUtterance)
		u.speculate()
	case capture.Paused:
		u.speculate()
	}
	return err
}

func (u *utterance) speculate() {
	if pcm := u.sound.Utterance(); u.e.cfg.Speculate && len(pcm) >= capture.Shortest {
		u.guess = u.send(pcm)
	}
}

// send asks the server in a goroutine that drop, or the end of ctx, ends.
func (u *utterance) send(pcm []int16) *request {
	ctx, cancel := context.WithCancel(u.ctx)
	r := &request{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.result, r.err = u.e.ask(ctx, pcm)
	}()
	return r
}

// drop gives a request up and waits for its goroutine.
func (u *utterance) drop() {
	if u.guess == nil {
		return
	}
	select {
	case <-u.guess.done:
	default:
		u.e.abandoned.Add(1)
	}
	u.guess.cancel()
	<-u.guess.done
	u.guess = nil
}

func (u *utterance) final() (stt.Transcript, error) {
	if err := u.ctx.Err(); err != nil {
		return stt.Transcript{}, err
	}
	pcm := u.sound.Utterance()
	if len(pcm) < capture.Shortest {
		return stt.Transcript{Final: true, Language: u.e.cfg.Language}, nil
	}
	if u.guess == nil {
		return u.e.ask(u.ctx, pcm)
	}
	<-u.guess.done // ends with ctx
	return u.guess.result, u.guess.err
}
