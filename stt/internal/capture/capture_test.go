package capture

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parley/audio"
	"parley/internal/fault"
)

const (
	u = audio.Unjudged
	v = audio.Voice
	p = audio.Pause
)

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		name    string
		in      []audio.Activity
		limit   int // frames
		changes []Change
		length  int // frames of the utterance
		cut     bool
	}{
		{"nothing", nil, 10, nil, 0, false},
		{"not judged", []audio.Activity{u, u, u}, 10, []Change{None, None, None}, 3, false},
		{"one phrase", []audio.Activity{u, v, v, p, p, p}, 10, []Change{None, None, None, Paused, None, None}, 4, false},
		{"a pause before any voice", []audio.Activity{p, p, v, p}, 10, []Change{None, None, None, Paused}, 4, false},
		{"a breath", []audio.Activity{v, p, v, v, p}, 10, []Change{None, Paused, Resumed, None, Paused}, 5, false},
		{"not judged after the pause", []audio.Activity{v, p, u, u}, 10, []Change{None, Paused, None, None}, 2, false},
		{"too long", []audio.Activity{v, v, v, v, p}, 3, []Change{None, None, None, Full, None}, 3, true},
		{"too long in a pause", []audio.Activity{v, p, p, p}, 3, []Change{None, Paused, None, None}, 2, true},
		{"voice beyond the limit", []audio.Activity{v, p, p, v}, 3, []Change{None, Paused, None, None}, 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := Buffer{Limit: 320 * c.limit}
			var changes []Change
			for _, a := range c.in {
				ch, err := b.Add(audio.Frame{PCM: make([]int16, 320), Rate: audio.SpeechRate, Activity: a})
				if err != nil {
					t.Fatal(err)
				}
				changes = append(changes, ch)
			}
			if !slices.Equal(changes, c.changes) {
				t.Errorf("changes %v, want %v", changes, c.changes)
			}
			if n := len(b.Utterance()) / 320; n != c.length || b.Cut() != c.cut {
				t.Errorf("%d frames to understand, cut %v; want %d, %v", n, b.Cut(), c.length, c.cut)
			}
		})
	}
}

func TestOtherRatesAreRefused(t *testing.T) {
	b := Buffer{Limit: 100}
	if _, err := b.Add(audio.Frame{PCM: make([]int16, 10), Rate: 48000}); fault.KindOf(err) != fault.BadInput {
		t.Errorf("48 kHz: %v", err)
	}
}

// Whatever comes: the limit holds, samples keep their order, and what was
// handed out at a pause does not change.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Buffer{Limit: rapid.IntRange(1, 2000).Draw(t, "limit")}
		var said, guess, guessed []int16
		for range rapid.IntRange(0, 40).Draw(t, "frames") {
			pcm := rapid.SliceOfN(rapid.Int16(), 0, 100).Draw(t, "pcm")
			said = append(said, pcm...)
			change, err := b.Add(audio.Frame{PCM: pcm, Rate: audio.SpeechRate, Activity: rapid.SampledFrom([]audio.Activity{u, v, p}).Draw(t, "activity")})
			if err != nil {
				t.Fatal(err)
			}
			clear(pcm)
			switch change {
			case Paused, Full:
				guess, guessed = b.Utterance(), slices.Clone(b.Utterance())
			case Resumed:
				guess, guessed = nil, nil
			}
			if guess != nil && !slices.Equal(guess, b.Utterance()) {
				t.Fatal("the guess is no longer the utterance, and nothing said so")
			}
			if !slices.Equal(guess, guessed) {
				t.Fatal("samples handed out have changed")
			}
		}
		if n := len(b.PCM()); n != min(len(said), b.Limit) || !slices.Equal(b.PCM(), said[:n]) {
			t.Fatalf("%d samples kept of %d, limit %d", n, len(said), b.Limit)
		}
	})
}
