package vad

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// The bounds of Config, and of what the segmenter can look back on.
const (
	MinSilence = 100 * time.Millisecond
	MaxSilence = 5 * time.Second
	minPause   = 2 * windowTime         // less would be noticed between two windows
	maxSpeech  = 500 * time.Millisecond // of MinSpeech
	windowTime = 32 * time.Millisecond  // Window samples
)

// Config says when speech begins and ends.
type Config struct {
	// Threshold is the probability from which a window holds speech, 0..1.
	// Speech, once begun, goes on down to 0.15 below it.
	Threshold float64 `koanf:"threshold" yaml:"threshold"`
	// Silence after the last voiced sample ends speech.
	Silence time.Duration `koanf:"silence" yaml:"silence"`
	// MinSpeech is how much must be heard before speech counts as begun.
	MinSpeech time.Duration `koanf:"min_speech" yaml:"min_speech"`
	// PauseAfter is the silence after which SpeechPaused tells that the end may
	// be near. From Silence on there is no SpeechPaused.
	PauseAfter time.Duration `koanf:"pause_after" yaml:"pause_after"`
}

// DefaultConfig returns the settings that serve a conversation.
func DefaultConfig() Config {
	return Config{
		Threshold:  0.5,
		Silence:    400 * time.Millisecond,
		MinSpeech:  2 * windowTime,
		PauseAfter: 100 * time.Millisecond,
	}
}

// Validate says which setting is out of its range.
func (c Config) Validate() error {
	var errs []error
	if !(c.Threshold > 0 && c.Threshold < 1) {
		errs = append(errs, fmt.Errorf("vad: threshold %v is not between 0 and 1", c.Threshold))
	}
	if c.Silence < MinSilence || c.Silence > MaxSilence {
		errs = append(errs, fmt.Errorf("vad: silence %v is not between %v and %v", c.Silence, MinSilence, MaxSilence))
	}
	if c.MinSpeech < 0 || c.MinSpeech > maxSpeech {
		errs = append(errs, fmt.Errorf("vad: min_speech %v is not between 0 and %v", c.MinSpeech, maxSpeech))
	}
	if c.PauseAfter < minPause || c.PauseAfter > MaxSilence {
		errs = append(errs, fmt.Errorf("vad: pause_after %v is not between %v and %v", c.PauseAfter, minPause, MaxSilence))
	}
	return errors.Join(errs...)
}

// clamp moves every setting into its range.
func (c Config) clamp() Config {
	if math.IsNaN(c.Threshold) {
		c.Threshold = DefaultConfig().Threshold
	}
	return Config{
		Threshold:  min(max(c.Threshold, 0.01), 0.99),
		Silence:    min(max(c.Silence, MinSilence), MaxSilence),
		MinSpeech:  min(max(c.MinSpeech, 0), maxSpeech),
		PauseAfter: min(max(c.PauseAfter, minPause), MaxSilence),
	}
}
