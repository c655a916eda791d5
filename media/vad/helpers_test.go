package vad_test

import (
	"math"
	"testing"
	"time"

	"parley/audio"
	"parley/media/opus"
	"parley/media/vad"
	"parley/media/vad/silero"
	"parley/media/vad/vadtest"
)

const frame = 320 // samples in 20 ms

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func model(tb testing.TB) *silero.Model {
	tb.Helper()
	m, err := silero.Load(vadtest.Model(tb, vadtest.Published))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// settings are the defaults with another silence.
func settings(silence time.Duration) vad.Config {
	cfg := vad.DefaultConfig()
	cfg.Silence = silence
	return cfg
}

// at is the n-th frame of 20 ms of pcm, as if it had arrived when it was over.
func at(pcm []int16, n int) audio.Frame {
	start := time.Duration(n) * audio.FrameDuration
	return audio.Frame{
		PCM: pcm[n*frame : (n+1)*frame], Rate: audio.SpeechRate, Start: start,
		Arrived: epoch.Add(start + audio.FrameDuration),
	}
}

// event is what Observe returned, and for which frame.
type event struct {
	vad.Event
	frame int
}

// observe feeds pcm frame by frame; origin, where not nil, says how each came to be.
func observe(d vad.Detector, pcm []int16, origin func(n int) audio.Origin) []event {
	var out []event
	for n := range len(pcm) / frame {
		f := at(pcm, n)
		if origin != nil {
			f.Origin = origin(n)
		}
		if e, ok := d.Observe(f); ok {
			out = append(out, event{e, n})
		}
	}
	return out
}

// of returns the events of one kind.
func of(k vad.Kind, events []event) []event {
	var out []event
	for _, e := range events {
		if e.Kind == k {
			out = append(out, e)
		}
	}
	return out
}

func silence(d time.Duration) []int16 {
	return make([]int16, audio.DurationToSamples(d, audio.SpeechRate))
}

func join(parts ...[]int16) []int16 {
	var out []int16
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// level is the RMS of pcm in dBFS, at least -100.
func level(pcm []int16) float64 { return audio.DBFS(max(audio.RMS(pcm), 1e-5)) }

// throughOpus encodes pcm at the given rate, as a browser or a test caller
// would, and decodes it as the server does.
func throughOpus(tb testing.TB, pcm []int16, rate int) []int16 {
	tb.Helper()
	at48, err := audio.Resample(pcm, audio.SpeechRate, rate)
	if err != nil {
		tb.Fatal(err)
	}
	enc, err := opus.NewEncoder(rate)
	if err != nil {
		tb.Fatal(err)
	}
	if err := enc.ExpectLoss(10); err != nil { // as browsers encode
		tb.Fatal(err)
	}
	dec, err := opus.NewDecoder()
	if err != nil {
		tb.Fatal(err)
	}
	packet, out := make([]byte, opus.MaxPacketBytes), make([]int16, opus.MaxSamples)
	var decoded []int16
	for size := enc.FrameSamples(); len(at48) >= size; at48 = at48[size:] {
		n, err := enc.Encode(at48[:size], packet)
		if err != nil {
			tb.Fatal(err)
		}
		got, err := dec.Decode(packet[:n], out)
		if err != nil {
			tb.Fatal(err)
		}
		decoded = append(decoded, out[:got]...)
	}
	return decoded
}

// withNoise adds white noise at the given distance, in dB, below the level of pcm.
func withNoise(pcm []int16, reference float64, snr float64, normal func() float64) []int16 {
	amplitude := 32768 * math.Pow(10, (reference-snr)/20)
	out := make([]int16, len(pcm))
	for i, v := range pcm {
		out[i] = int16(min(max(float64(v)+amplitude*normal(), math.MinInt16), math.MaxInt16))
	}
	return out
}
