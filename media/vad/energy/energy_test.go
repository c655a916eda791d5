package energy_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"parley/audio"
	"parley/media/vad"
	"parley/media/vad/energy"
	"parley/media/vad/vadtest"
)

// last scores windows made by sample until n have passed and returns the last verdict.
func last(s *energy.Scorer, n int, sample func(i int) float64) float32 {
	window := make([]int16, vad.Window)
	var p float32
	for w := range n {
		for i := range window {
			window[i] = int16(sample(w*vad.Window + i))
		}
		p = s.Score(window)
	}
	return p
}

func tone(level float64) func(int) float64 {
	return func(i int) float64 { return level * math.Sin(2*math.Pi*500*float64(i)/audio.SpeechRate) }
}

func TestScore(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := func(sigma float64) func(int) float64 {
		return func(int) float64 { return rng.NormFloat64() * sigma }
	}
	for _, c := range []struct {
		name       string
		background func(int) float64
		sound      func(int) float64
		speech     bool
	}{
		{"silence", tone(0), tone(0), false},
		{"offset is no sound", tone(0), func(int) float64 { return 5000 }, false},
		{"faint hiss", tone(0), noise(10), false},
		{"sound out of silence", tone(0), tone(4000), true},
		{"sound out of noise", noise(300), tone(4000), true},
		{"noise goes on", noise(300), noise(300), false},
		{"noise a little louder", noise(300), noise(500), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := energy.New()
			last(s, 60, c.background)
			if p := last(s, 8, c.sound); (p >= 0.5) != c.speech {
				t.Errorf("got %v", p)
			}
		})
	}
}

// A sound that never pauses becomes the background.
func TestSteadySoundIsNotSpeechForEver(t *testing.T) {
	s := energy.New()
	last(s, 60, tone(0))
	if p := last(s, 150, tone(3000)); p >= 0.5 {
		t.Errorf("after 4.8 s: %v", p)
	}
}

func TestDeterministic(t *testing.T) {
	clip := vadtest.Clip(t, "brooklyn-bridge.wav")
	a, b := energy.New(), energy.New()
	for ; len(clip) >= vad.Window; clip = clip[vad.Window:] {
		if p, q := a.Score(clip[:vad.Window]), b.Score(clip[:vad.Window]); p != q {
			t.Fatalf("%v and %v", p, q)
		}
	}
}

// With the segmenter it finds the sentence in a quiet recording.
func TestFindsASentence(t *testing.T) {
	clip := vadtest.Clip(t, "go-forward.wav") // speech from 0.51 to 2.37 s
	pcm := append(append([]int16(nil), clip...), make([]int16, audio.SpeechRate)...)
	s := vad.NewSegmenter(vad.DefaultConfig(), energy.New())
	var kinds []vad.Kind
	var first, end time.Duration
	for i := 0; i+320 <= len(pcm); i += 320 {
		e, ok := s.Observe(audio.Frame{
			PCM: pcm[i : i+320], Rate: audio.SpeechRate, Start: audio.SamplesToDuration(i, audio.SpeechRate),
		})
		switch {
		case !ok || e.Kind == vad.SpeechPaused || e.Kind == vad.SpeechResumed:
			continue
		case e.Kind == vad.SpeechStarted && first == 0:
			first = e.At
		case e.Kind == vad.SpeechEnded:
			end = e.At
		}
		kinds = append(kinds, e.Kind)
	}
	if len(kinds) == 0 || len(kinds)%2 != 0 {
		t.Fatalf("got %v", kinds)
	}
	if first < 400*time.Millisecond || first > 650*time.Millisecond {
		t.Errorf("began at %v", first)
	}
	if end < 2200*time.Millisecond || end > 2600*time.Millisecond {
		t.Errorf("ended at %v", end)
	}
}

func TestWrongWindowPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	energy.New().Score(nil)
}

func BenchmarkScore(b *testing.B) {
	s := energy.New()
	window := make([]int16, vad.Window)
	b.ReportAllocs()
	for b.Loop() {
		s.Score(window)
	}
}
