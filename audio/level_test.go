package audio

import (
	"math"
	"testing"
)

func TestLevels(t *testing.T) {
	sine := tone(1000, 0.5, 16000, 16000)
	for _, c := range []struct {
		name      string
		pcm       []int16
		rms, peak float64
	}{
		{"nothing", nil, 0, 0},
		{"silence", make([]int16, 10), 0, 0},
		{"full-scale square", []int16{-32768, -32768}, 1, 1},
		{"half-scale sine", sine, 0.5 / math.Sqrt2, 0.5},
	} {
		if got := RMS(c.pcm); math.Abs(got-c.rms) > 1e-4 {
			t.Errorf("%s: RMS %v, want %v", c.name, got, c.rms)
		}
		if got := Peak(c.pcm); math.Abs(got-c.peak) > 1e-4 {
			t.Errorf("%s: Peak %v, want %v", c.name, got, c.peak)
		}
	}
}

func TestDBFS(t *testing.T) {
	for level, want := range map[float64]float64{
		1: 0, 0.5: -6.0206, 0.001: -60, 0: Silence, 1e-9: Silence, math.NaN(): Silence, -1: Silence,
	} {
		if got := DBFS(level); math.Abs(got-want) > 1e-3 {
			t.Errorf("DBFS(%v): got %v, want %v", level, got, want)
		}
	}
}

func TestFrameTimes(t *testing.T) {
	f := Frame{PCM: make([]int16, 320), Rate: SpeechRate, Start: FrameDuration}
	if f.Duration() != FrameDuration || f.End() != 2*FrameDuration {
		t.Errorf("got %v, end %v", f.Duration(), f.End())
	}
	if n := DurationToSamples(FrameDuration, 48000); n != 960 {
		t.Errorf("20 ms at 48 kHz: got %d samples", n)
	}
	if d := SamplesToDuration(1, 0); d != 0 {
		t.Errorf("rate 0: got %v", d)
	}
	c := f.Clone()
	c.PCM[0] = 1
	if f.PCM[0] != 0 {
		t.Error("a clone shares its samples")
	}
}

func BenchmarkRMS(b *testing.B) {
	pcm := tone(440, 0.3, 16000, 320)
	b.ReportAllocs()
	for b.Loop() {
		RMS(pcm)
	}
}

// tone is n samples of a sine at freq Hz with the given amplitude (1 is full scale).
func tone(freq, amplitude float64, rate, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(32767 * amplitude * math.Sin(2*math.Pi*freq*float64(i)/float64(rate))))
	}
	return pcm
}
