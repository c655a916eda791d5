// Package energy is the voice activity scorer that needs no weights: it holds
// the level of each window against a background that it follows. It hears any
// sound that stands out, not only speech; use silero where its weights are
// installed.
//
// May import: media/vad and the standard library.
// Concurrency: a Scorer belongs to one goroutine.
package energy

import (
	"math"

	"parley/media/vad"
)

const (
	blocks     = 4  // per window: 8 ms each
	memory     = 48 // windows (1.5 s) among which the background is looked for
	quietest   = -75.0
	audible    = -58.0 // dBFS: nothing below is taken for speech
	overNoise  = 10.0  // dB over the background where the probability is one half
	steepness  = 2.0   // dB: a third of the way from one half to certainty
	fade       = 0.6   // per window: short dips inside words are bridged
	pole       = 0.97  // of the filter (1-z⁻¹)/(1-pole·z⁻¹), which takes out rumble (below 80 Hz) and offset
	tiny       = 1e-15 // keeps the filter out of denormal numbers, which are slow
	fullScale  = 32768.0
	blockSize  = vad.Window / blocks
	startGuess = -50.0 // dBFS of background before any was heard
)

// Scorer judges windows by their level. Its zero value is not usable; call New.
type Scorer struct {
	floors [memory]float64 // quietest block of each of the last windows, dBFS
	count  int
	in     float64 // the filter's input and output before the window
	out    float64
	score  float64 // the verdict before
}

var _ vad.Scorer = (*Scorer)(nil)

// New returns a scorer that has heard nothing.
func New() *Scorer { return new(Scorer) }

// Reset forgets the last sounds, but not the background.
func (s *Scorer) Reset() { s.in, s.out, s.score = 0, 0, 0 }

// Score returns how far a window of vad.Window samples of 16 kHz mono stands
// out from the background, as 0..1. It panics on another length.
func (s *Scorer) Score(window []int16) float32 {
	if len(window) != vad.Window {
		panic("energy: a window must have vad.Window samples")
	}
	mean, quiet := s.levels(window)
	s.floors[s.count%memory] = quiet
	s.count++
	level := decibels(mean)
	limit := max(s.background()+overNoise, audible)
	p := 1 / (1 + math.Exp((limit-level)/steepness))
	s.score = max(p, s.score*fade)
	return float32(s.score)
}

// levels returns the mean power of the window and the level of its quietest block.
func (s *Scorer) levels(window []int16) (mean, quiet float64) {
	least := math.Inf(1)
	for b := range blocks {
		var sum float64
		for _, v := range window[b*blockSize : (b+1)*blockSize] {
			x := float64(v) / fullScale
			s.in, s.out = x, x-s.in+pole*s.out+tiny
			sum += s.out * s.out
		}
		mean += sum / vad.Window
		least = min(least, sum/blockSize)
	}
	return mean, decibels(least)
}

// background is the lowest level of the last windows; until enough were heard
// it is not taken to be louder than a quiet room.
func (s *Scorer) background() float64 {
	n := min(s.count, memory)
	least := math.Inf(1)
	for _, v := range s.floors[:n] {
		least = min(least, v)
	}
	if s.count < memory/2 {
		least = min(least, startGuess)
	}
	return least
}

// decibels turns power into dBFS, no lower than quietest.
func decibels(power float64) float64 {
	return max(10*math.Log10(power+1e-12), quietest)
}
