package sttest

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"parley/audio"
)

// source is a speaker who lends frames as strictly as the contract allows: the
// samples of a frame are overwritten as soon as the engine hands it back.
type source struct {
	pcm      []int16
	samples  int
	activity func(i, n int) audio.Activity // of frame i of n; nil: Unjudged
	at       func(i, n int)                // called before frame i of n is lent
	end      func()                        // called before speech ends
	endless  bool                          // repeats pcm for ever
	hold     context.Context               // where set, the end waits for it

	starts atomic.Int32 // times the sequence was started
	pulled atomic.Int32 // frames lent
	ended  atomic.Bool  // set by the suite when the engine's stream has ended
	late   atomic.Bool  // a frame was pulled after that
}

func newSource(pcm []int16) *source { return &source{pcm: pcm, samples: len(pcm)} }

const frameSamples = audio.SpeechRate / 50

// len is the number of frames in one pass.
func (s *source) len() int { return (len(s.pcm) + frameSamples - 1) / frameSamples }

func (s *source) frames(yield func(audio.Frame) bool) {
	s.starts.Add(1)
	buf := make([]int16, frameSamples)
	n := s.len()
	for i := 0; i < n || s.endless; i++ {
		if !s.lend(buf, i, n, yield) {
			return
		}
	}
	if s.end != nil {
		s.end()
	}
	if s.hold != nil {
		<-s.hold.Done()
	}
}

func (s *source) lend(buf []int16, i, n int, yield func(audio.Frame) bool) bool {
	if s.ended.Load() {
		s.late.Store(true)
		return false
	}
	if s.at != nil {
		s.at(i, n)
	}
	from := i % n * frameSamples
	f := audio.Frame{
		PCM: buf[:copy(buf, s.pcm[from:min(from+frameSamples, len(s.pcm))])], Rate: audio.SpeechRate,
		Start: time.Duration(i) * audio.FrameDuration,
	}
	if s.activity != nil {
		f.Activity = s.activity(i, n)
	}
	s.pulled.Add(1)
	ok := yield(f)
	for j := range buf {
		buf[j] = math.MinInt16 // what was lent is gone
	}
	return ok
}

// Tone is a 440 Hz sine at a quarter of full scale, 16 kHz mono: sound that no
// engine should mistake for silence.
func Tone(d time.Duration) []int16 {
	pcm := make([]int16, audio.DurationToSamples(d, audio.SpeechRate))
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/audio.SpeechRate))
	}
	return pcm
}
