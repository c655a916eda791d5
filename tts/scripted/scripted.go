// Package scripted is a voice that says every word as a tone of a set length
// after a set delay: a stand-in for tests, demonstrations and benchmarks, exact
// in time and the same in every run.
//
// May import: audio, internal/fault, tts, its helpers and the standard library.
// Concurrency: an Engine is safe for concurrent use.
package scripted

import (
	"context"
	"errors"
	"hash/fnv"
	"iter"
	"log/slog"
	"math"
	"strings"
	"time"

	"parley/audio"
	"parley/internal/fault"
	"parley/tts"
	"parley/tts/internal/perclause"
)

// Config sets the voice. The zero value speaks at once, at 24 kHz, 200 ms a word.
type Config struct {
	// Delay passes before the first audio of each clause.
	Delay time.Duration `koanf:"delay" yaml:"delay"`
	// PerWord is the length of a word; 0 means 200 ms.
	PerWord time.Duration `koanf:"per_word" yaml:"per_word"`
	// Rate is the sample rate in Hz, one that Opus encodes; 0 means 24000.
	Rate int `koanf:"rate" yaml:"rate"`
	// FailAt makes the clause of this number fail, counted from 1 in each reply; 0 means none.
	FailAt int `koanf:"fail_at" yaml:"fail_at"`
}

// DefaultConfig returns the Config that the zero value stands for.
func DefaultConfig() Config { return Config{PerWord: 200 * time.Millisecond, Rate: 24000} }

// Validate reports what is impossible in c.
func (c Config) Validate() error {
	switch {
	case c.Delay < 0 || c.PerWord < 0 || c.FailAt < 0:
		return errors.New("tts/scripted: delay, per_word and fail_at must not be negative")
	case c.PerWord > 10*time.Second:
		return errors.New("tts/scripted: per_word must be at most 10s")
	}
	switch c.Rate {
	case 0, 8000, 12000, 16000, 24000, 48000:
		return nil
	}
	return errors.New("tts/scripted: rate must be 8000, 12000, 16000, 24000 or 48000")
}

// Engine speaks in tones.
type Engine struct{ cfg Config }

// New returns an engine; the error is fault.Misconfigured. It has nothing to log.
func New(cfg Config, _ *slog.Logger) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fault.New(fault.Misconfigured, "tts/scripted: start", err)
	}
	def := DefaultConfig()
	if cfg.PerWord == 0 {
		cfg.PerWord = def.PerWord
	}
	if cfg.Rate == 0 {
		cfg.Rate = def.Rate
	}
	return &Engine{cfg: cfg}, nil
}

// Speak implements tts.Voice.
func (e *Engine) Speak(ctx context.Context, text iter.Seq[string]) iter.Seq2[tts.Speech, error] {
	return func(yield func(tts.Speech, error) bool) {
		clauses := 0
		say := func(ctx context.Context, clause string, emit perclause.Emit) error {
			clauses++
			return e.say(ctx, clause, clauses == e.cfg.FailAt, emit)
		}
		v := perclause.Voice{Rate: e.cfg.Rate, Say: say}
		v.Speak(ctx, text)(yield)
	}
}

func (e *Engine) say(ctx context.Context, clause string, fail bool, emit perclause.Emit) error {
	if err := wait(ctx, e.cfg.Delay); err != nil {
		return err
	}
	if fail {
		return fault.Newf(fault.Failed, "tts/scripted: speak", "the script says so")
	}
	n := audio.DurationToSamples(e.cfg.PerWord, e.cfg.Rate)
	frame := make([]int16, audio.DurationToSamples(audio.FrameDuration, e.cfg.Rate))
	for i, word := range strings.Fields(clause) {
		start := audio.SamplesToDuration(i*n, e.cfg.Rate)
		words := []tts.Word{{Text: word, Start: start, End: start + audio.SamplesToDuration(n, e.cfg.Rate)}}
		for at := 0; at < n; at += len(frame) {
			pcm := frame[:min(len(frame), n-at)]
			tone(pcm, word, at, e.cfg.Rate)
			if err := emit(pcm, words...); err != nil {
				return err
			}
			words = nil
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tone fills pcm, which begins after at samples of the word, with the tone that
// stands for word: a cosine at a quarter of full scale.
func tone(pcm []int16, word string, at, rate int) {
	step := 2 * math.Pi * Pitch(word) / float64(rate)
	for i := range pcm {
		pcm[i] = int16(8192 * math.Cos(step*float64(at+i)))
	}
}

// Pitch is the frequency of the tone that stands for word: 200 to 1000 Hz.
func Pitch(word string) float64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(word))
	return 200 + float64(h.Sum32()%801)
}
