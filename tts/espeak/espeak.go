// Package espeak speaks about a hundred languages with espeak-ng, a child
// process per clause. espeak-ng is under the GPL; it is run, not linked.
//
// May import: audio, internal/fault, tts, its helpers and the standard library.
// Concurrency: an Engine is safe for concurrent use. It starts at most two
// processes per reply, and a reply's have ended when its stream has.
package espeak

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os/exec"
	"regexp"
	"time"

	"parley/internal/fault"
	"parley/tts"
	"parley/tts/internal/perclause"
)

// Rate is the sample rate of the voice, in Hz. espeak-ng's own 22050 is none of
// Opus's.
const Rate = 24000

// silence is the level below which a sample is no sound. Between words the
// voice is exactly 0; resampling leaves a little beside it.
const silence = 60

const maxPause = 400 * time.Millisecond

// Config sets the voice.
type Config struct {
	// Command is the program, found in PATH or by its path.
	Command string `koanf:"command" yaml:"command"`
	// Language is a voice as `espeak-ng --voices` lists it, with a variant or
	// without: "en-us", "de", "cmn", "fr+f3".
	Language string `koanf:"language" yaml:"language"`
	// WordsPerMinute is the speed, 80 to 450.
	WordsPerMinute int `koanf:"words_per_minute" yaml:"words_per_minute"`
	// Pitch is 0 to 99.
	Pitch int `koanf:"pitch" yaml:"pitch"`
}

// DefaultConfig is American English as espeak-ng speaks it by itself.
func DefaultConfig() Config {
	return Config{Command: "espeak-ng", Language: "en-us", WordsPerMinute: 175, Pitch: 50}
}

// languageForm keeps flags and paths out of the language.
var languageForm = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*(\+[A-Za-z0-9]+)?$`)

// Validate reports what is impossible in c.
func (c Config) Validate() error {
	switch {
	case c.Command == "":
		return errors.New("tts/espeak: command must not be empty")
	case !languageForm.MatchString(c.Language):
		return fmt.Errorf("tts/espeak: language %q has not the form of a voice such as en-us or fr+f3", c.Language)
	case c.WordsPerMinute < 80 || c.WordsPerMinute > 450:
		return fmt.Errorf("tts/espeak: words_per_minute %d is outside 80 to 450", c.WordsPerMinute)
	case c.Pitch < 0 || c.Pitch > 99:
		return fmt.Errorf("tts/espeak: pitch %d is outside 0 to 99", c.Pitch)
	}
	return nil
}

// Engine speaks.
type Engine struct {
	cfg  Config
	path string
	log  *slog.Logger
}

// New finds the program. Its error is fault.Misconfigured. A nil log discards.
func New(cfg Config, log *slog.Logger) (*Engine, error) {
	const op = "tts/espeak: start"
	if err := cfg.Validate(); err != nil {
		return nil, fault.New(fault.Misconfigured, op, err)
	}
	path, err := exec.LookPath(cfg.Command)
	if err != nil {
		return nil, fault.Newf(fault.Misconfigured, op, "%s is not installed (apt-get install espeak-ng): %w", cfg.Command, err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Engine{cfg: cfg, path: path, log: log}, nil
}

// Check says whether the program is there and has the language: it speaks one
// syllable, which takes about 20 ms.
func Check(cfg Config) error {
	e, err := New(cfg, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return e.say(ctx, "a", func([]int16, ...tts.Word) error { return nil })
}

// Speak implements tts.Voice.
func (e *Engine) Speak(ctx context.Context, text iter.Seq[string]) iter.Seq2[tts.Speech, error] {
	v := perclause.Voice{Rate: Rate, Say: e.say, Threshold: silence, MaxPause: maxPause}
	return v.Speak(ctx, text)
}
