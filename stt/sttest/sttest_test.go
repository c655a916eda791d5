package sttest

import (
	"math"
	"testing"
	"time"

	"parley/audio"
)

func TestWordErrors(t *testing.T) {
	for _, c := range []struct {
		said, understood string
		errors, words    int
	}{
		{"", "", 0, 0},
		{"what time is it", "What time is it?", 0, 4},
		{"what time is it", "", 4, 4},
		{"", "thank you", 2, 0},
		{"what time is it", "what dime is it now", 2, 4},
		{"a b c d", "a c d", 1, 4},
		{"a b c d", "x a b c", 2, 4},
		{"don't stop", "dont stop", 1, 2},
	} {
		if e, n := WordErrors(c.said, c.understood); e != c.errors || n != c.words {
			t.Errorf("WordErrors(%q, %q) = %d, %d; want %d, %d", c.said, c.understood, e, n, c.errors, c.words)
		}
	}
}

func TestClips(t *testing.T) {
	for name, want := range map[string]time.Duration{
		"go-forward": 2786 * time.Millisecond, "what-time-is-it-1": 1225 * time.Millisecond, "brooklyn-bridge": 1811 * time.Millisecond,
	} {
		r := Clip(t, name)
		if d := audio.SamplesToDuration(len(r.PCM), audio.SpeechRate); d.Truncate(time.Millisecond) != want || r.Text == "" {
			t.Errorf("%s is %v long and says %q, want %v", name, d, r.Text, want)
		}
	}
}

func TestSourceTakesBackWhatItLent(t *testing.T) {
	s := newSource(Tone(100 * time.Millisecond))
	var kept audio.Frame
	n := 0
	for f := range s.frames {
		if n == 0 {
			kept = f
		} else if kept.PCM[0] != f.PCM[0] {
			t.Fatal("the frames do not share memory")
		}
		if n++; n == 3 {
			break
		}
	}
	if kept.PCM[0] != math.MinInt16 || s.pulled.Load() != 3 {
		t.Errorf("sample %d after %d frames, want %d after 3", kept.PCM[0], s.pulled.Load(), math.MinInt16)
	}
	s.ended.Store(true)
	for range s.frames {
		t.Fatal("a frame was lent after the end")
	}
	if !s.late.Load() {
		t.Error("a late pull went unnoticed")
	}
}

func TestFramesCoverEverySample(t *testing.T) {
	pcm := Tone(50 * time.Millisecond)
	var at, total = time.Duration(0), 0
	for f := range Frames(pcm) {
		if f.Start != at || f.Rate != audio.SpeechRate {
			t.Errorf("frame at %v with rate %d, want %v", f.Start, f.Rate, at)
		}
		at, total = f.End(), total+len(f.PCM)
	}
	if total != len(pcm) {
		t.Errorf("%d samples of %d", total, len(pcm))
	}
}
