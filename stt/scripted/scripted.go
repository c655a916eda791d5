// Package scripted is a recogniser that has its answers beforehand: a stand-in
// for tests, demonstrations and benchmarks, exact in time and text.
//
// May import: stt, audio and the standard library.
// Concurrency: an Engine is safe for concurrent use; it starts no goroutine.
package scripted

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"parley/audio"
	"parley/stt"
)

// Config is the script. The zero value understands "hello" at once.
type Config struct {
	// Transcripts are the finals, one per utterance in the order in which the
	// utterances begin, and again from the first after the last. Empty: "hello".
	Transcripts []string `koanf:"transcripts" yaml:"transcripts"`
	// Delay is how long after the end of speech the final comes.
	Delay time.Duration `koanf:"delay" yaml:"delay"`
	// Partials yields the transcript word by word while the speaker speaks, one
	// more word every PartialEvery of speech (0: 200 ms), the last one left out.
	Partials     bool          `koanf:"partials" yaml:"partials"`
	PartialEvery time.Duration `koanf:"partial_every" yaml:"partial_every"`
	// Language goes into every transcript.
	Language string `koanf:"language" yaml:"language"`
}

// DefaultConfig returns the zero Config.
func DefaultConfig() Config { return Config{} }

// Validate reports what is impossible in c.
func (c Config) Validate() error {
	if c.Delay < 0 || c.PartialEvery < 0 {
		return errors.New("stt/scripted: delay and partial_every must not be negative")
	}
	return nil
}

// Engine plays a script. Utterances without any frame give an empty final and
// leave the script where it is.
type Engine struct {
	cfg  Config
	next atomic.Uint64
}

// New returns an engine at the start of its script.
func New(cfg Config) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if len(cfg.Transcripts) == 0 {
		cfg.Transcripts = []string{"hello"}
	}
	if cfg.PartialEvery == 0 {
		cfg.PartialEvery = 200 * time.Millisecond
	}
	return &Engine{cfg: cfg}, nil
}

// Transcribe implements stt.Transcriber.
func (e *Engine) Transcribe(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
	return func(yield func(stt.Transcript, error) bool) {
		if !e.perform(ctx, speech, yield) {
			return
		}
		if err := ctx.Err(); err != nil {
			yield(stt.Transcript{}, err)
		}
	}
}

// perform returns whether an error of ctx may still be yielded.
func (e *Engine) perform(ctx context.Context, speech iter.Seq[audio.Frame], yield func(stt.Transcript, error) bool) bool {
	var text string
	var words []string
	var heard time.Duration
	shown, started := 0, false
	for f := range speech {
		if ctx.Err() != nil {
			return true
		}
		if !started {
			started, text = true, e.take()
			words = strings.Fields(text)
		}
		heard += f.Duration()
		if e.cfg.Partials && shown+1 < len(words) && heard >= time.Duration(shown+1)*e.cfg.PartialEvery {
			shown++
			if !yield(stt.Transcript{Text: strings.Join(words[:shown], " "), Language: e.cfg.Language}, nil) {
				return false
			}
		}
	}
	if !wait(ctx, e.cfg.Delay) {
		return true
	}
	yield(stt.Transcript{Text: text, Final: true, Language: e.cfg.Language}, nil)
	return false
}

func (e *Engine) take() string {
	n := e.next.Add(1) - 1
	return e.cfg.Transcripts[n%uint64(len(e.cfg.Transcripts))]
}

// wait reports whether d passed before ctx was done.
func wait(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
