package vad

import (
	"testing"
	"time"
)

// past builds a history of windows with the given probabilities and one power
// per window.
func past(windows ...[2]float32) *history {
	h := new(history)
	for i, w := range windows {
		v := window{end: int64(i+1) * Window, p: w[0]}
		for j := range v.powers {
			v.powers[j] = w[1]
		}
		h.add(v, true)
		if w[0] >= 0.5 {
			h.learnVoice()
		}
	}
	return h
}

func repeat(n int, w [2]float32) [][2]float32 {
	out := make([][2]float32, n)
	for i := range out {
		out[i] = w
	}
	return out
}

// In quiet, power finds the end though the probability lags three windows behind.
func TestLastVoicedInQuiet(t *testing.T) {
	windows := append(repeat(3, [2]float32{0, 0}), repeat(10, [2]float32{0.99, 0.01})...)
	windows = append(windows, repeat(3, [2]float32{0.7, 0})...)
	windows = append(windows, repeat(4, [2]float32{0.1, 0})...)
	at, ok := past(windows...).lastVoiced(0.5, 0.35)
	if want := int64(13 * Window); !ok || at != want {
		t.Errorf("got %d, %v, want %d", at, ok, want)
	}
}

// In noise only the probability tells, and its lag is taken off.
func TestLastVoicedInNoise(t *testing.T) {
	windows := append(repeat(6, [2]float32{0, 0.001}), repeat(10, [2]float32{0.99, 0.005})...)
	windows = append(windows, repeat(6, [2]float32{0.1, 0.001})...)
	h := past(windows...)
	if !h.drowned() {
		t.Fatalf("voice %v over noise %v", h.voice, h.noise)
	}
	at, ok := h.lastVoiced(0.5, 0.35)
	if want := int64(16*Window - lagNoisy); !ok || at != want {
		t.Errorf("got %d, %v, want %d", at, ok, want)
	}
}

// A sound that the network does not take for speech does not prolong it, unless
// it follows speech closely.
func TestLastVoicedNeedsTheNetwork(t *testing.T) {
	for gap, want := range map[int]int64{1: 15 * Window, 6: 13 * Window} {
		windows := append(repeat(3, [2]float32{0, 0}), repeat(10, [2]float32{0.99, 0.01})...)
		windows = append(windows, repeat(gap, [2]float32{0.1, 0})...)
		windows = append(windows, [2]float32{0.1, 0.01})
		windows = append(windows, repeat(4, [2]float32{0.1, 0})...)
		if at, ok := past(windows...).lastVoiced(0.5, 0.35); !ok || at != want {
			t.Errorf("sound %d windows after speech: got %d, %v, want %d", gap, at, ok, want)
		}
	}
}

func TestNothingVoiced(t *testing.T) {
	if at, ok := past(repeat(5, [2]float32{0.1, 0.01})...).lastVoiced(0.5, 0.35); ok {
		t.Errorf("got %d", at)
	}
	if h := new(history); h.back(0) != nil || h.power(0) != 0 {
		t.Error("an empty history remembers something")
	}
}

// The onset follows the sound back from the window that the network noticed.
func TestFirstVoiced(t *testing.T) {
	windows := append(repeat(8, [2]float32{0, 0}), repeat(2, [2]float32{0.2, 0.01})...)
	windows = append(windows, [2]float32{0.9, 0.01})
	if at, want := past(windows...).firstVoiced(0), int64(8*Window); at != want {
		t.Errorf("got %d, want %d", at, want)
	}
}

func TestSteadyNoiseBecomesTheBackground(t *testing.T) {
	h := past(append(repeat(3, [2]float32{0, 0}), repeat(windows, [2]float32{0, 0.001})...)...)
	if h.noise != 0.001 {
		t.Errorf("got %v", h.noise)
	}
}

func TestGate(t *testing.T) {
	var g gate
	var pcm [Window]int16
	for range closeAfter {
		if g.closed {
			t.Fatal("closed too early")
		}
		g.judged(1e-8, 0.01)
	}
	if !g.closed || g.lets(1e-7) || !g.lets(1e-4) {
		t.Fatalf("closed %v, lets through %v and %v", g.closed, g.lets(1e-7), g.lets(1e-4))
	}
	for i := range warmUp + 2 {
		pcm[0] = int16(i)
		g.hold(&pcm, 1e-8)
	}
	var first []int16
	g.open(func(pcm []int16, back int) {
		if want := warmUp - len(first); back != want {
			t.Errorf("back %d, want %d", back, want)
		}
		first = append(first, pcm[0])
	})
	if len(first) != warmUp || first[0] != 2 || first[warmUp-1] != warmUp+1 || g.closed {
		t.Errorf("replayed %v, closed %v", first, g.closed)
	}
}

// A position belongs to the frame it lies in, also across a jump of media time.
func TestLocate(t *testing.T) {
	var a arrivals
	start := time.Unix(0, 0)
	a.add(arrival{position: 0, media: 0, arrived: start})
	a.add(arrival{position: 320, media: 20 * time.Millisecond, arrived: start.Add(1)})
	a.add(arrival{position: 640, media: 340 * time.Millisecond, arrived: start.Add(2)}) // after a blackout
	for position, want := range map[int64]struct {
		media   time.Duration
		arrived int64
	}{
		0:   {0, 0},
		319: {319 * time.Second / 16000, 0},
		320: {20 * time.Millisecond, 1},
		656: {341 * time.Millisecond, 2},
	} {
		media, arrived := a.locate(position)
		if media != want.media || arrived.UnixNano() != want.arrived {
			t.Errorf("%d: got %v, %v, want %v", position, media, arrived.UnixNano(), want)
		}
	}
}
