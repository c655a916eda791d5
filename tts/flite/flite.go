// Package flite speaks English with flite, linked into the process: audio as it
// is computed, at 16 kHz, with the times of words. It needs no model files and
// no network. Built with the tag noflite, or without cgo, it says so when it is
// started.
//
// May import: audio, internal/fault, tts, its helpers, cgo and the standard
// library.
// Concurrency: an Engine is safe for concurrent use. All engines share flite's
// voices, which are only read; what flite counts without locks is done under a
// lock of the C part.
package flite

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/tts"
	"parley/tts/internal/perclause"
)

// Rate is the sample rate of every voice, in Hz.
const Rate = 16000

const (
	// silence is the level below which a sample is no sound: the voices hiss at
	// up to 150 in their pauses, kal16 at up to 407.
	silence      = 200
	silenceKal16 = 450
	// maxPause shortens what flite puts between the pieces of a long clause:
	// 140 ms after the one and 220 before the other.
	maxPause = 240 * time.Millisecond
	// buffer lets most clauses be finished ahead of the listener, which frees
	// flite's memory and the thread.
	buffer = 4 * time.Second
)

// Config sets the voice.
type Config struct {
	// Voice is "slt" (female), "rms" or "awb" (male), or "kal16", which sounds
	// harsh but takes a tenth of the time.
	Voice string `koanf:"voice" yaml:"voice"`
	// Speed is 1 for the voice's own, 0.5 to 2.
	Speed float64 `koanf:"speed" yaml:"speed"`
}

// DefaultConfig is the voice slt at its own speed.
func DefaultConfig() Config { return Config{Voice: "slt", Speed: 1} }

// Voices lists what Config.Voice may be.
func Voices() []string { return []string{"slt", "rms", "awb", "kal16"} }

// Validate reports what is impossible in c.
func (c Config) Validate() error {
	if !slices.Contains(Voices(), c.Voice) {
		return fmt.Errorf("tts/flite: voice %q is none of %s", c.Voice, strings.Join(Voices(), ", "))
	}
	if !(c.Speed >= 0.5 && c.Speed <= 2) {
		return fmt.Errorf("tts/flite: speed %v is outside 0.5 to 2", c.Speed)
	}
	return nil
}

// Engine speaks.
type Engine struct {
	voice   *voice
	log     *slog.Logger
	stretch float32 // of durations
	silence int16
}

// New loads the voice. Its error is fault.Misconfigured. A nil log discards.
func New(cfg Config, log *slog.Logger) (*Engine, error) {
	const op = "tts/flite: start"
	if err := cfg.Validate(); err != nil {
		return nil, fault.New(fault.Misconfigured, op, err)
	}
	v, err := open(cfg.Voice)
	if err != nil {
		return nil, fault.New(fault.Misconfigured, op, err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{voice: v, log: log, stretch: float32(1 / cfg.Speed), silence: silence}
	if cfg.Voice == "kal16" {
		e.silence = silenceKal16
	}
	return e, nil
}

// Check says whether New would succeed, at no cost to speak of.
func Check(cfg Config) error {
	_, err := New(cfg, nil)
	return err
}

// Speak implements tts.Voice.
func (e *Engine) Speak(ctx context.Context, text iter.Seq[string]) iter.Seq2[tts.Speech, error] {
	v := perclause.Voice{Rate: Rate, Say: e.say, Buffer: buffer, Threshold: e.silence, MaxPause: maxPause}
	return v.Speak(ctx, text)
}

// say speaks one clause piece by piece: flite computes the parameters of all
// that it is given before the first sample, and cannot be stopped while it does.
func (e *Engine) say(ctx context.Context, clause string, emit perclause.Emit) error {
	tokens := tokenize(clause)
	if len(tokens) == 0 {
		e.log.DebugContext(ctx, "flite has nothing it can say in a clause", "bytes", len(clause))
	}
	at := 0 // samples
	for len(tokens) > 0 {
		n := pieceLen(tokens)
		u := utterance{tokens: tokens[:n], at: at, ctx: ctx, emit: emit}
		if err := e.voice.say(&u, e.stretch); err != nil {
			return err
		}
		at, tokens = u.at, tokens[n:]
	}
	return nil
}
