package vad_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/audio"
	"parley/media/vad"
)

// scripted gives the probabilities it is told.
type scripted struct{ next func() float32 }

func (s scripted) Score([]int16) float32 { return s.next() }
func (s scripted) Reset()                {}

// grammar checks what every stream of events must obey.
type grammar struct {
	t     *rapid.T
	state vad.Kind // the last event; SpeechEnded before any
	began time.Duration
}

func (g *grammar) take(e vad.Event, f audio.Frame) {
	allowed := map[vad.Kind][]vad.Kind{
		vad.SpeechEnded:   {vad.SpeechStarted},
		vad.SpeechStarted: {vad.SpeechPaused, vad.SpeechEnded},
		vad.SpeechPaused:  {vad.SpeechResumed, vad.SpeechEnded},
		vad.SpeechResumed: {vad.SpeechPaused, vad.SpeechEnded},
	}
	legal := false
	for _, k := range allowed[g.state] {
		legal = legal || k == e.Kind
	}
	if !legal {
		g.t.Fatalf("event %v after %v", e.Kind, g.state)
	}
	if e.Kind == vad.SpeechStarted {
		g.began = e.At
	}
	if e.At < g.began || e.At > f.End() {
		g.t.Fatalf("event %v at %v, speech began at %v, heard up to %v", e.Kind, e.At, g.began, f.End())
	}
	if e.Arrived.IsZero() || e.Arrived.After(f.Arrived) {
		g.t.Fatalf("event %v arrived at %v, now %v", e.Kind, e.Arrived, f.Arrived)
	}
	g.state = e.Kind
}

// Whatever the sound, the scorer, the frames' lengths and origins and the
// settings: events follow the grammar, speech is not ended by what is unknown,
// and long silence ends it.
func TestEventsFollowTheGrammar(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := vad.Config{
			Threshold:  rapid.Float64Range(0, 1).Draw(rt, "threshold"),
			Silence:    time.Duration(rapid.IntRange(0, 900).Draw(rt, "silence")) * time.Millisecond,
			MinSpeech:  time.Duration(rapid.IntRange(0, 300).Draw(rt, "least")) * time.Millisecond,
			PauseAfter: time.Duration(rapid.IntRange(0, 400).Draw(rt, "pause")) * time.Millisecond,
		}
		var p float32
		s := vad.NewSegmenter(cfg, scripted{func() float32 { return p }})
		g := &grammar{t: rt, state: vad.SpeechEnded}
		var now time.Duration
		feed := func(origin audio.Origin, samples int, loud float64) (vad.Event, bool) {
			f := audio.Frame{
				PCM: make([]int16, samples), Rate: audio.SpeechRate, Start: now, Origin: origin,
				Arrived: epoch.Add(now + 25*time.Millisecond),
			}
			for i := range f.PCM {
				f.PCM[i] = int16(loud * math.Sin(float64(i)))
			}
			now = f.End()
			e, ok := s.Observe(f)
			if ok {
				g.take(e, f)
			}
			return e, ok
		}
		unknown := 0 // samples in a row
		for range rapid.IntRange(1, 25).Draw(rt, "stretches") {
			p = rapid.SampledFrom([]float32{0, 0.1, 0.4, 0.6, 1}).Draw(rt, "p")
			loud := rapid.SampledFrom([]float64{0, 5, 100, 3000, 30000}).Draw(rt, "loud")
			samples := rapid.SampledFrom([]int{1, 40, 160, 320, 333, 960, 1920}).Draw(rt, "samples")
			origin := rapid.SampledFrom([]audio.Origin{
				audio.Received, audio.Received, audio.Recovered, audio.Concealed, audio.Comfort,
			}).Draw(rt, "origin")
			length := rapid.IntRange(1, 16000).Draw(rt, "length")
			for ; length > 0; length -= samples {
				if unknown += samples; origin != audio.Concealed {
					unknown = 0
				}
				e, ok := feed(origin, samples, loud)
				if ok && origin == audio.Concealed && unknown <= audio.SpeechRate && e.Kind == vad.SpeechEnded {
					rt.Fatalf("ended after %d unknown samples", unknown)
				}
			}
		}
		p = 0
		for range 300 { // 6 s of nothing end all speech
			feed(audio.Received, 320, 0)
		}
		if g.state != vad.SpeechEnded {
			rt.Fatalf("still in state %v after 6 s of silence", g.state)
		}
	})
}

func TestConfigValidate(t *testing.T) {
	if err := vad.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*vad.Config){
		"threshold 0":      func(c *vad.Config) { c.Threshold = 0 },
		"threshold 1":      func(c *vad.Config) { c.Threshold = 1 },
		"threshold NaN":    func(c *vad.Config) { c.Threshold = math.NaN() },
		"short silence":    func(c *vad.Config) { c.Silence = 99 * time.Millisecond },
		"long silence":     func(c *vad.Config) { c.Silence = time.Minute },
		"negative speech":  func(c *vad.Config) { c.MinSpeech = -1 },
		"long speech":      func(c *vad.Config) { c.MinSpeech = time.Second },
		"impossible pause": func(c *vad.Config) { c.PauseAfter = 0 },
	} {
		c := vad.DefaultConfig()
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
