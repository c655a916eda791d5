package pocketsphinx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"parley/internal/fault"
)

// DefaultModelDir is where Debian's package pocketsphinx-en-us puts its model.
const DefaultModelDir = "/usr/share/pocketsphinx/model/en-us"

const (
	minDecoders      = 2
	maxDecoders      = 4
	limitDecoders    = 64
	waitingEach      = 8
	limitUtterance   = 5 * time.Minute
	defaultUtterance = 30 * time.Second
)

// Config says which model to use and how much of the machine.
type Config struct {
	ModelDir      string `koanf:"model_dir" yaml:"model_dir"`           // holds en-us/, en-us.lm.bin and cmudict-en-us.dict
	AcousticModel string `koanf:"acoustic_model" yaml:"acoustic_model"` // folder; "": en-us in ModelDir
	LanguageModel string `koanf:"language_model" yaml:"language_model"` // file; "": en-us.lm.bin in ModelDir
	Dictionary    string `koanf:"dictionary" yaml:"dictionary"`         // file; "": cmudict-en-us.dict in ModelDir
	Language      string `koanf:"language" yaml:"language"`             // BCP 47, of the model

	// Decoders is the most that may be loaded, about 93 MB each; 0: one per
	// core, at least 2 and at most 4. The first is loaded at start, the others
	// when they are needed.
	Decoders int `koanf:"decoders" yaml:"decoders"`
	// MaxWaiting is how many utterances may wait for a decoder; more are refused
	// with fault.Overloaded. 0: eight per decoder.
	MaxWaiting int `koanf:"max_waiting" yaml:"max_waiting"`
	// MaxUtterance is how much of an utterance is understood; the rest is
	// ignored. At most five minutes.
	MaxUtterance time.Duration `koanf:"max_utterance" yaml:"max_utterance"`
	// Speculate starts to decode at the first pause.
	Speculate bool `koanf:"speculate" yaml:"speculate"`
	// Partials shows words while the speaker speaks, when a decoder is left over.
	Partials bool `koanf:"partials" yaml:"partials"`
}

// DefaultConfig is the Debian model, with speculation and partials.
func DefaultConfig() Config {
	return Config{
		ModelDir: DefaultModelDir, Language: "en-US", MaxUtterance: defaultUtterance,
		Speculate: true, Partials: true,
	}
}

// Validate reports what is impossible in c. It does not look for files.
func (c Config) Validate() error {
	var errs []error
	if c.ModelDir == "" && (c.AcousticModel == "" || c.LanguageModel == "" || c.Dictionary == "") {
		errs = append(errs, errors.New("stt/pocketsphinx: model_dir is empty"))
	}
	if c.Decoders < 0 || c.Decoders > limitDecoders {
		errs = append(errs, fmt.Errorf("stt/pocketsphinx: decoders %d is not between 0 and %d", c.Decoders, limitDecoders))
	}
	if c.MaxWaiting < 0 {
		errs = append(errs, errors.New("stt/pocketsphinx: max_waiting must not be negative"))
	}
	if c.MaxUtterance < 0 || c.MaxUtterance > limitUtterance {
		errs = append(errs, fmt.Errorf("stt/pocketsphinx: max_utterance %v is not between 0 and %v", c.MaxUtterance, limitUtterance))
	}
	return errors.Join(errs...)
}

// withDefaults replaces zeroes that mean "choose".
func (c Config) withDefaults() Config {
	if c.Decoders == 0 {
		c.Decoders = min(max(runtime.GOMAXPROCS(0), minDecoders), maxDecoders)
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = waitingEach * c.Decoders
	}
	if c.MaxUtterance == 0 {
		c.MaxUtterance = defaultUtterance
	}
	return c
}

// files are the paths of a model.
type files struct{ acoustic, language, dictionary string }

func (c Config) files() files {
	pick := func(path, name string) string {
		if path != "" {
			return path
		}
		return filepath.Join(c.ModelDir, name)
	}
	return files{
		acoustic:   pick(c.AcousticModel, "en-us"),
		language:   pick(c.LanguageModel, "en-us.lm.bin"),
		dictionary: pick(c.Dictionary, "cmudict-en-us.dict"),
	}
}

// Check reports, without loading anything, why the engine could not start: it
// is not part of this binary, the settings are impossible or files of the model
// are missing. The error is of kind fault.Misconfigured and says what to do.
func Check(cfg Config) error {
	const op = "stt/pocketsphinx: check"
	if !built {
		return errNotBuilt()
	}
	if err := cfg.Validate(); err != nil {
		return fault.New(fault.Misconfigured, op, err)
	}
	f := cfg.files()
	for _, path := range []string{
		filepath.Join(f.acoustic, "mdef"), filepath.Join(f.acoustic, "feat.params"),
		filepath.Join(f.acoustic, "means"), filepath.Join(f.acoustic, "variances"),
		filepath.Join(f.acoustic, "transition_matrices"), f.language, f.dictionary,
	} {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return fault.Newf(fault.Misconfigured, op, "model file: %w (on Debian: apt-get install pocketsphinx-en-us)", err)
		case info.IsDir() || info.Size() == 0:
			return fault.Newf(fault.Misconfigured, op, "model file %s is empty or a folder (on Debian: apt-get install --reinstall pocketsphinx-en-us)", path)
		}
	}
	return nil
}

func errNotBuilt() error {
	return fault.Newf(fault.Misconfigured, "stt/pocketsphinx: open",
		"this binary was built without PocketSphinx; build it with cgo and without the tag nopocketsphinx, or set another stt.engine")
}
