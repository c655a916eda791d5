package scripted_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/fault"
	"parley/tts"
	"parley/tts/scripted"
	"parley/tts/ttstest"
)

func engine(t testing.TB, cfg scripted.Config) *scripted.Engine {
	t.Helper()
	e, err := scripted.New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConformance(t *testing.T) {
	ttstest.Run(t, ttstest.Fixture{Words: true, New: func(t *testing.T) tts.Voice {
		return engine(t, scripted.Config{})
	}})
}

func TestDelayAndLengthAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engine(t, scripted.Config{Delay: 150 * time.Millisecond, PerWord: 100 * time.Millisecond, Rate: 16000})
		start := time.Now()
		var first time.Duration
		n := 0
		for s, err := range e.Speak(t.Context(), ttstest.Text("one two three")) {
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				first = time.Since(start)
			}
			n += len(s.PCM)
		}
		if first != 150*time.Millisecond || n != 4800 {
			t.Errorf("first audio after %v, %d samples", first, n)
		}
	})
}

func TestTheNextClauseIsMadeWhileThisOneIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engine(t, scripted.Config{Delay: time.Second, PerWord: time.Second, Rate: 16000})
		start := time.Now()
		for s, err := range e.Speak(t.Context(), ttstest.Text("one two", "three four", "five")) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(len(s.PCM)) * time.Second / 16000) // as playout does
		}
		if d := time.Since(start); d != 6*time.Second { // one delay, five words
			t.Errorf("took %v", d)
		}
	})
}

func TestSameEveryTime(t *testing.T) {
	e := engine(t, scripted.Config{})
	a := ttstest.Collect(t, e, t.Context(), ttstest.Text("hello there", "again"))
	b := ttstest.Collect(t, e, t.Context(), ttstest.Text("hello there", "again"))
	if !slices.Equal(a.PCM, b.PCM) || len(a.PCM) != 3*4800 {
		t.Errorf("%d and %d samples, or they differ", len(a.PCM), len(b.PCM))
	}
	want := []tts.Word{{Text: "hello", End: 200 * time.Millisecond}, {Text: "there", Start: 200 * time.Millisecond, End: 400 * time.Millisecond},
		{Text: "again", Start: 400 * time.Millisecond, End: 600 * time.Millisecond}}
	if !slices.Equal(a.Words, want) {
		t.Errorf("words %v", a.Words)
	}
}

func TestFails(t *testing.T) {
	e := engine(t, scripted.Config{FailAt: 2})
	got := ttstest.Collect(t, e, t.Context(), ttstest.Text("one", "two", "three"))
	if fault.KindOf(got.Err) != fault.Failed || !slices.Equal(got.Clauses, []string{"one"}) {
		t.Errorf("error %v after %q", got.Err, got.Clauses)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []scripted.Config{{Delay: -1}, {PerWord: -1}, {FailAt: -1}, {Rate: 44100}, {PerWord: time.Hour}} {
		if _, err := scripted.New(cfg, nil); fault.KindOf(err) != fault.Misconfigured || !strings.Contains(err.Error(), "tts/scripted") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	if err := scripted.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestPitchTellsWordsApart(t *testing.T) {
	if a, b := scripted.Pitch("yes"), scripted.Pitch("no"); a == b || min(a, b) < 200 || max(a, b) > 1000 {
		t.Errorf("%v and %v Hz", a, b)
	}
}

func BenchmarkFirstAudio(b *testing.B) {
	e := engine(b, scripted.Config{})
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range e.Speak(b.Context(), ttstest.Text("hello there")) {
			if err != nil {
				b.Fatal(err)
			}
			break
		}
	}
}
