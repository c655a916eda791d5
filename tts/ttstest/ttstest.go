// Package ttstest is the conformance suite of the text-to-speech port: every
// engine runs it.
//
// May import: audio, tts, goleak and the standard library.
// Concurrency: functions run on the test's goroutine.
package ttstest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/audio"
	"parley/tts"
)

// patience bounds what should take milliseconds; a hang fails, slowness does not.
const patience = 30 * time.Second

// Fixture is what the suite is run on.
type Fixture struct {
	// New makes the voice; it is called once per case. What it starts it stops
	// with t.Cleanup: goroutines that are left after that are leaks.
	New func(t *testing.T) tts.Voice
	// Words says that the engine reports words.
	Words bool
}

// Run runs every case on a voice of its own.
func Run(t *testing.T, f Fixture) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Fixture)
	}{
		{"clauses", clauses},
		{"one sentence", oneSentence},
		{"words", words},
		{"no text", noText},
		{"blank clauses", blankClauses},
		{"odd text", oddText},
		{"first clause sounds before the second is known", firstBeforeSecond},
		{"first clause sounds before the third is pulled", firstBeforeThird},
		{"nothing before the loop", nothingBeforeTheLoop},
		{"cancelled before start", cancelledBeforeStart},
		{"cancelled while speaking", cancelledWhileSpeaking},
		{"cancelled while waiting for text", cancelledWhileWaiting},
		{"loop left early", loopLeftEarly},
		{"loop left while text is awaited", loopLeftWhileWaiting},
		{"concurrent", concurrent},
		{"used again", usedAgain},
	} {
		before := goleak.IgnoreCurrent()
		t.Run(c.name, func(t *testing.T) { c.run(t, f) })
		if err := goleak.Find(before); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Spoken is all a stream held.
type Spoken struct {
	PCM     []int16
	Rate    int
	Clauses []string
	Words   []tts.Word
	Pieces  int
	Err     error
}

// Duration is the length of the audio.
func (s Spoken) Duration() time.Duration { return audio.SamplesToDuration(len(s.PCM), s.Rate) }

// Collect speaks text to the end and reports breaches of the port's contract
// as errors of t. It may be called from any goroutine.
func Collect(t testing.TB, v tts.Voice, ctx context.Context, text iter.Seq[string]) (out Spoken) {
	t.Helper()
	for s, err := range v.Speak(ctx, text) {
		if out.Err != nil {
			t.Error("the stream went on after its error")
		}
		if err != nil {
			out.Err = err
			continue
		}
		out.add(t, s)
		clear(s.PCM) // it is lent, and the engine must not need it any more
	}
	return out
}

func (s *Spoken) add(t testing.TB, sp tts.Speech) {
	t.Helper()
	if !slices.Contains([]int{8000, 12000, 16000, 24000, 48000}, sp.Rate) {
		t.Errorf("rate %d Hz is none of Opus's", sp.Rate)
	}
	if s.Rate != 0 && s.Rate != sp.Rate {
		t.Errorf("the rate changes from %d to %d Hz", s.Rate, sp.Rate)
	}
	s.Rate = sp.Rate
	if d := audio.SamplesToDuration(len(sp.PCM), sp.Rate); d > 500*time.Millisecond {
		t.Errorf("a piece of %v is too long to be stopped", d)
	}
	if s.Pieces == 0 && sp.Clause == "" {
		t.Error("the first piece does not say its clause")
	}
	if sp.Clause != "" {
		s.Clauses = append(s.Clauses, sp.Clause)
	}
	s.Pieces++
	s.PCM = append(s.PCM, sp.PCM...)
	for _, w := range sp.Words {
		if n := len(s.Words); n > 0 && w.Start < s.Words[n-1].Start {
			t.Errorf("word %q begins at %v, before %q at %v", w.Text, w.Start, s.Words[n-1].Text, s.Words[n-1].Start)
		}
		if w.End < w.Start || w.Text == "" || strings.TrimSpace(w.Text) != w.Text {
			t.Errorf("word %q from %v to %v", w.Text, w.Start, w.End)
		}
		if end := s.Duration(); w.Start > end {
			t.Errorf("word %q begins at %v, when only %v are known", w.Text, w.Start, end)
		}
		s.Words = append(s.Words, w)
	}
}

// check fails t unless all of want was spoken.
func (s Spoken) check(t testing.TB, want ...string) {
	t.Helper()
	if s.Err != nil {
		t.Errorf("error: %v", s.Err)
	}
	if !slices.Equal(s.Clauses, want) {
		t.Errorf("clauses %q, want %q", s.Clauses, want)
	}
	if n := len(s.Words); n > 0 {
		last := slices.MaxFunc(s.Words, func(a, b tts.Word) int { return int(a.End - b.End) })
		if last.End > s.Duration() {
			t.Errorf("word %q ends at %v, after the audio at %v", last.Text, last.End, s.Duration())
		}
	}
}

// checkSounds fails t unless the audio is as long as the words take, and heard.
func (s Spoken) checkSounds(t testing.TB, words int) {
	t.Helper()
	if d := s.Duration(); d < time.Duration(words)*50*time.Millisecond || d > time.Duration(words)*2*time.Second {
		t.Errorf("%d words take %v", words, d)
	}
	loudest := 0
	for _, x := range s.PCM {
		loudest = max(loudest, int(x), -int(x))
	}
	if loudest < 3000 {
		t.Errorf("the loudest sample is %d: too quiet", loudest)
	}
}

// Text returns a text that is known beforehand.
func Text(clauses ...string) iter.Seq[string] { return slices.Values(clauses) }

// mustBeCancelled fails t unless err is nil or of a cancelled context.
func mustBeCancelled(t testing.TB, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want none or the context's", err)
	}
}

// within runs f and fails t if it hangs.
func within(t testing.TB, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.Fatalf("not over after %v", patience)
	}
}
