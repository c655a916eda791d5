package audio

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The pairs that matter: engines' rates to Opus rates and back, files to the
// wire, and two that share no factor, which use the interpolated table.
var ratePairs = [][2]int{
	{8000, 48000}, {11025, 48000}, {16000, 48000}, {22050, 48000}, {24000, 48000}, {44100, 48000},
	{48000, 16000}, {44100, 16000}, {22050, 16000}, {22050, 24000}, {96000, 48000}, {44101, 48000}, {47999, 16000},
}

// A tone comes out as the same tone: same amplitude, same phase, noise and
// images more than 75 dB below it, up to 80 % of the lower Nyquist frequency.
func TestResampleTones(t *testing.T) {
	for _, p := range ratePairs {
		nyquist := float64(min(p[0], p[1])) / 2
		for _, share := range []float64{0.02, 0.3, 0.8} {
			freq := share * nyquist
			got, err := Resample(tone(freq, 0.7, p[0], p[0]/2), p[0], p[1])
			if err != nil {
				t.Fatal(err)
			}
			want := tone(freq, 0.7, p[1], len(got))
			edge := len(got) / 8 // the tone's sudden start and end are no tone
			if snr := snrDB(want[edge:len(got)-edge], got[edge:len(got)-edge]); snr < 75 {
				t.Errorf("%d → %d Hz, tone of %.0f Hz: SNR %.1f dB", p[0], p[1], freq, snr)
			}
		}
	}
}

// What the lower rate cannot hold is removed, not folded back.
func TestResampleRejectsAliases(t *testing.T) {
	for _, p := range [][2]int{{48000, 16000}, {44100, 16000}, {48000, 22050}} {
		freq := 1.05 * float64(p[1]) / 2
		got, err := Resample(tone(freq, 0.9, p[0], p[0]/2), p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		edge := len(got) / 8
		if level := DBFS(RMS(got[edge : len(got)-edge])); level > -75 {
			t.Errorf("%d → %d Hz: a tone of %.0f Hz leaves %.1f dBFS", p[0], p[1], freq, level)
		}
	}
}

// However the stream is cut into pieces, the result is the same, and its length
// is exact.
func TestResampleStreams(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := rapid.SampledFrom(append(ratePairs, [2]int{16000, 16000}, [2]int{384000, 2000}, [2]int{2000, 384000})).Draw(rt, "rates")
		src := tone(333, 0.9, p[0], rapid.IntRange(0, 5000).Draw(rt, "n"))
		whole, err := Resample(src, p[0], p[1])
		if err != nil {
			rt.Fatal(err)
		}
		if want := (len(src)*p[1] + p[0] - 1) / p[0]; len(whole) != want {
			rt.Fatalf("%d → %d Hz: %d samples gave %d, want %d", p[0], p[1], len(src), len(whole), want)
		}
		r, err := NewResampler(p[0], p[1])
		if err != nil {
			rt.Fatal(err)
		}
		for range 2 { // the second time after Flush
			var got []int16
			for rest := src; len(rest) > 0; {
				n := min(len(rest), rapid.IntRange(1, 3000).Draw(rt, "piece"))
				got, rest = r.Process(got, rest[:n]), rest[n:]
			}
			if got = r.Flush(got); !slices.Equal(got, whole) {
				rt.Fatalf("%d → %d Hz: pieces give other samples", p[0], p[1])
			}
		}
	})
}

func TestResampleClamps(t *testing.T) {
	src := make([]int16, 4000)
	for i := range src { // a full-scale square wave overshoots when band-limited
		src[i] = 32767
		if i/20%2 == 1 {
			src[i] = -32768
		}
	}
	got, err := Resample(src, 22050, 48000)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Max(got) != 32767 || slices.Min(got) != -32768 {
		t.Errorf("range %d..%d: overshoot should be clamped, not wrapped", slices.Min(got), slices.Max(got))
	}
}

func TestResampleRefusesRates(t *testing.T) {
	for _, p := range [][2]int{{0, 16000}, {16000, 0}, {-1, 16000}, {1 << 31, 16000}, {16000, 1999}} {
		if _, err := NewResampler(p[0], p[1]); err == nil {
			t.Errorf("%d → %d Hz: no error", p[0], p[1])
		}
	}
}

func TestResampleAllocatesNothing(t *testing.T) {
	r, err := NewResampler(22050, 48000)
	if err != nil {
		t.Fatal(err)
	}
	src, dst := tone(440, 0.3, 22050, 441), make([]int16, 0, 2000)
	if n := testing.AllocsPerRun(100, func() { r.Process(dst, src) }); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

// sox is the reference where it is installed: on a recording-like signal both
// must agree far below what anyone hears.
func TestResampleAgainstSox(t *testing.T) {
	sox, err := exec.LookPath("sox")
	if err != nil {
		t.Skip("sox is not installed")
	}
	for _, p := range [][2]int{{22050, 48000}, {44100, 16000}, {16000, 48000}} {
		src := chirp(p[0], 0.35*float64(min(p[0], p[1])))
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in.wav"), filepath.Join(dir, "out.wav")
		var b bytes.Buffer
		if err := WriteWAV(&b, src, p[0]); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if msg, err := exec.Command(sox, "-D", in, out, "rate", "-v", fmt.Sprint(p[1])).CombinedOutput(); err != nil {
			t.Fatalf("sox: %v: %s", err, msg)
		}
		file, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		want, rate, err := ReadWAV(file)
		file.Close()
		if err != nil || rate != p[1] {
			t.Fatalf("sox's file: %d Hz, %v", rate, err)
		}
		got, err := Resample(src, p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		if d := len(got) - len(want); d < -1 || d > 1 {
			t.Errorf("%v: %d samples, sox %d", p, len(got), len(want))
		}
		n := min(len(got), len(want)) - 200
		if snr := snrDB(want[200:n], got[200:n]); snr < 65 {
			t.Errorf("%v: %.1f dB apart from sox", p, snr)
		}
	}
}

// chirp is half a second that sweeps from 100 Hz to top, faded at its ends.
func chirp(rate int, top float64) []int16 {
	pcm := make([]int16, rate/2)
	for i := range pcm {
		t := float64(i) / float64(rate)
		fade := math.Sin(math.Pi * 2 * t)
		pcm[i] = int16(20000 * fade * math.Sin(2*math.Pi*(100*t+(top-100)*t*t)))
	}
	return pcm
}

func snrDB(want, got []int16) float64 {
	var signal, noise float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		signal += float64(w) * float64(w)
		noise += d * d
	}
	return 10 * math.Log10(signal/max(noise, 1e-9))
}

func BenchmarkResample(b *testing.B) {
	for _, p := range [][2]int{{22050, 48000}, {48000, 16000}, {22050, 24000}} {
		b.Run(fmt.Sprintf("%d-%d", p[0], p[1]), func(b *testing.B) {
			r, err := NewResampler(p[0], p[1])
			if err != nil {
				b.Fatal(err)
			}
			src, dst := tone(440, 0.3, p[0], p[0]/50), make([]int16, 0, 2000)
			b.ReportAllocs()
			for b.Loop() { // one frame of 20 ms
				r.Process(dst, src)
			}
		})
	}
}
