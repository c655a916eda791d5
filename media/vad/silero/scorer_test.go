package silero

import (
	"encoding/json"
	"math"
	"os"
	"sync"
	"testing"

	"parley/media/vad"
	"parley/media/vad/vadtest"
)

func load(tb testing.TB, name string) *Model {
	tb.Helper()
	m, err := Load(vadtest.Model(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// probabilities scores every whole window of a clip.
func probabilities(s *Scorer, pcm []int16) []float64 {
	var out []float64
	for ; len(pcm) >= vad.Window; pcm = pcm[vad.Window:] {
		out = append(out, float64(s.Score(pcm[:vad.Window])))
	}
	return out
}

// worst is the largest difference between two lists of the same length.
func worst(tb testing.TB, got, want []float64) float64 {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("got %d windows, want %d", len(got), len(want))
	}
	var d float64
	for i := range got {
		d = max(d, math.Abs(got[i]-want[i]))
	}
	return d
}

// testdata/onnxruntime.json was made by ONNX Runtime 1.22 from the published
// file, state and context carried from window to window.
func TestAgreesWithONNXRuntime(t *testing.T) {
	data, err := os.ReadFile("testdata/onnxruntime.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]float64
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for _, file := range append(vadtest.Others(t), vadtest.Published) {
		m := load(t, file)
		for clip, probs := range want {
			got := probabilities(m.NewScorer(), vadtest.Clip(t, clip))
			if d := worst(t, got, probs); d > 1e-4 {
				t.Errorf("%s on %s: differs by %g", file, clip, d)
			}
		}
	}
}

func TestBothFilesHoldTheSameNetwork(t *testing.T) {
	clip := vadtest.Clip(t, "what-time-is-it-1.wav")
	a := probabilities(load(t, vadtest.Published).NewScorer(), clip)
	for _, other := range vadtest.Others(t) {
		b := probabilities(load(t, other).NewScorer(), clip)
		if d := worst(t, a, b); d > 0 {
			t.Errorf("%s differs by %g", other, d)
		}
	}
}

func TestResetForgets(t *testing.T) {
	clip := vadtest.Clip(t, "what-time-is-it-1.wav")
	s := load(t, vadtest.Published).NewScorer()
	first := probabilities(s, clip)
	if d := worst(t, probabilities(s, clip), first); d == 0 {
		t.Error("state had no effect")
	}
	s.Reset()
	if d := worst(t, probabilities(s, clip), first); d != 0 {
		t.Errorf("after Reset: differs by %g", d)
	}
}

// Scorers of one model in several goroutines do not disturb each other.
func TestModelIsShared(t *testing.T) {
	clip := vadtest.Clip(t, "what-time-is-it-1.wav")
	m := load(t, vadtest.Published)
	want := probabilities(m.NewScorer(), clip)
	var wg sync.WaitGroup
	got := make([][]float64, 4)
	for i := range got {
		wg.Go(func() { got[i] = probabilities(m.NewScorer(), clip) })
	}
	wg.Wait()
	for i := range got {
		if d := worst(t, got[i], want); d != 0 {
			t.Errorf("goroutine %d: differs by %g", i, d)
		}
	}
}

// Extremes of int16 keep the probability a probability.
func TestExtremeInput(t *testing.T) {
	s := load(t, vadtest.Published).NewScorer()
	window := make([]int16, vad.Window)
	for name, fill := range map[string]func(i int) int16{
		"silence": func(int) int16 { return 0 },
		"minimum": func(int) int16 { return math.MinInt16 },
		"square":  func(i int) int16 { return int16(math.MaxInt16 * (1 - 2*(i/4%2))) },
		"impulse": func(i int) int16 { return int16(math.MaxInt16 * (1 - min(i, 1))) },
	} {
		for i := range window {
			window[i] = fill(i)
		}
		for range 20 {
			if p := s.Score(window); !(p >= 0 && p <= 1) {
				t.Fatalf("%s: probability %v", name, p)
			}
		}
	}
}

func TestWrongWindowPanics(t *testing.T) {
	s := load(t, vadtest.Published).NewScorer()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	s.Score(make([]int16, vad.Window-1))
}

func TestScoreDoesNotAllocate(t *testing.T) {
	s := load(t, vadtest.Published).NewScorer()
	window := vadtest.Clip(t, "what-time-is-it-1.wav")[:vad.Window]
	if n := testing.AllocsPerRun(100, func() { s.Score(window) }); n != 0 {
		t.Errorf("%v allocations a window", n)
	}
}

func BenchmarkScore(b *testing.B) {
	s := load(b, vadtest.Published).NewScorer()
	clip := vadtest.Clip(b, "jfk.wav")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s.Score(clip[i : i+vad.Window])
		if i += vad.Window; i+vad.Window > len(clip) {
			i = 0
		}
	}
}
