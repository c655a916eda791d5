package pocketsphinx

import (
	"context"
	"iter"
	"log/slog"

	"parley/audio"
	"parley/stt"
	"parley/stt/internal/capture"
)

// Engine is a recogniser over a pool of decoders.
type Engine struct {
	cfg  Config
	pool *pool
	log  *slog.Logger
}

var _ stt.Transcriber = (*Engine)(nil)

// New checks cfg and the model's files, and returns while the first decoder is
// still being loaded (about 0.3 s). The error is of kind fault.Misconfigured.
// Close must be called.
func New(cfg Config, log *slog.Logger) (*Engine, error) {
	if err := Check(cfg); err != nil {
		return nil, err
	}
	return newEngine(cfg, log, func() (decoder, error) { return openNative(cfg) }), nil
}

func newEngine(cfg Config, log *slog.Logger, open func() (decoder, error)) *Engine {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	cfg = cfg.withDefaults()
	e := &Engine{cfg: cfg, pool: newPool(open, cfg, log), log: log}
	e.pool.grow()
	return e
}

// Close ends all utterances with an error, waits for the decoders, which takes
// a moment, and frees them.
func (e *Engine) Close() { e.pool.close() }

// Stats returns the state of the decoders.
func (e *Engine) Stats() Stats { return e.pool.Stats() }

// Transcribe implements stt.Transcriber. Frames at another rate than 16 kHz
// fail with fault.BadInput; utterances that find too many others waiting fail
// with fault.Overloaded. Times of words are exact to about 30 ms. Confidence is
// the geometric mean of the words' posterior probabilities in the lattice of
// what the decoder considered: it compares transcripts with each other, and is
// not a probability of being right. Partials have none.
func (e *Engine) Transcribe(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
	return func(yield func(stt.Transcript, error) bool) {
		u := &utterance{e: e, sound: capture.Buffer{Limit: audio.DurationToSamples(e.cfg.MaxUtterance, audio.SpeechRate)}}
		defer u.leave()
		for f := range speech {
			if ctx.Err() != nil {
				break
			}
			if err := u.add(f); err != nil {
				yield(stt.Transcript{}, err)
				return
			}
			if text, ok := u.preview(); ok && !yield(stt.Transcript{Text: text, Language: e.cfg.Language}, nil) {
				return
			}
		}
		tr, err := u.final(ctx)
		yield(tr, err)
	}
}
