package scripted_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/audio"
	"parley/stt/scripted"
	"parley/stt/sttest"
)

func open(t testing.TB, cfg scripted.Config) *scripted.Engine {
	t.Helper()
	e, err := scripted.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConformance(t *testing.T) {
	for name, cfg := range map[string]scripted.Config{
		"at once": {Transcripts: []string{"good morning"}},
		"delayed": {Transcripts: []string{"good morning"}, Delay: 30 * time.Millisecond},
		"words":   {Transcripts: []string{"good morning"}, Partials: true, PartialEvery: 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			sttest.Run(t, func(t *testing.T) sttest.Fixture {
				return sttest.Fixture{Engine: open(t, cfg), Want: "good morning", Partials: cfg.Partials}
			})
		})
	}
}

// paced lends one frame every 20 ms, as a call does.
func paced(ctx context.Context, d time.Duration) iter.Seq[audio.Frame] {
	return func(yield func(audio.Frame) bool) {
		for f := range sttest.Frames(make([]int16, audio.DurationToSamples(d, audio.SpeechRate))) {
			select {
			case <-time.After(audio.FrameDuration):
			case <-ctx.Done():
				return
			}
			if !yield(f) {
				return
			}
		}
	}
}

func TestWordsAndFinalComeOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := open(t, scripted.Config{
			Transcripts: []string{"what time is it"}, Delay: 150 * time.Millisecond, Partials: true, Language: "en",
		})
		start := time.Now()
		var texts []string
		var times []time.Duration
		for tr, err := range e.Transcribe(t.Context(), paced(t.Context(), time.Second)) {
			if err != nil {
				t.Fatal(err)
			}
			if tr.Language != "en" {
				t.Errorf("language %q", tr.Language)
			}
			texts, times = append(texts, tr.Text), append(times, time.Since(start))
		}
		ms := time.Millisecond
		if want := []string{"what", "what time", "what time is", "what time is it"}; !slices.Equal(texts, want) {
			t.Errorf("texts %q, want %q", texts, want)
		}
		if want := []time.Duration{200 * ms, 400 * ms, 600 * ms, 1150 * ms}; !slices.Equal(times, want) {
			t.Errorf("times %v, want %v", times, want)
		}
	})
}

func TestCancelEndsWithinAFrame(t *testing.T) {
	for name, after := range map[string]time.Duration{
		"while listening": 310 * time.Millisecond, "while deciding": 700 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(after, cancel)
				e := open(t, scripted.Config{Delay: time.Second})
				start := time.Now()
				for tr, err := range e.Transcribe(ctx, paced(ctx, 500*time.Millisecond)) {
					if err != context.Canceled {
						t.Errorf("%+v, %v; want the context's error", tr, err)
					}
				}
				if d := time.Since(start) - after; d > audio.FrameDuration {
					t.Errorf("ended %v after cancel", d)
				}
			})
		})
	}
}

func TestScriptGoesRound(t *testing.T) {
	e := open(t, scripted.Config{Transcripts: []string{"one", "two"}})
	var got []string
	for i := range 4 {
		speech := sttest.Frames(make([]int16, 640))
		if i == 1 {
			speech = sttest.Frames(nil) // nothing said: the script stays where it is
		}
		for tr := range e.Transcribe(t.Context(), speech) {
			got = append(got, tr.Text)
		}
	}
	if want := []string{"one", "", "two", "one"}; !slices.Equal(got, want) {
		t.Errorf("finals %q, want %q", got, want)
	}
}

func TestRefusesNegativeTimes(t *testing.T) {
	for _, cfg := range []scripted.Config{{Delay: -1}, {PartialEvery: -1}} {
		if _, err := scripted.New(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	if err := scripted.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func BenchmarkZeroDelay(b *testing.B) {
	e := open(b, scripted.Config{})
	pcm := make([]int16, audio.SpeechRate)
	for b.Loop() {
		for _, err := range e.Transcribe(b.Context(), sttest.Frames(pcm)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
