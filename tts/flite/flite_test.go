//go:build cgo && !noflite

package flite

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/audio"
	"parley/internal/fault"
	"parley/tts"
	"parley/tts/internal/perclause"
	"parley/tts/ttstest"
)

func engine(t testing.TB, voice string) *Engine {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Voice = voice
	e, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConformance(t *testing.T) {
	for _, voice := range []string{"slt", "kal16"} {
		t.Run(voice, func(t *testing.T) {
			ttstest.Run(t, ttstest.Fixture{Words: true, New: func(t *testing.T) tts.Voice { return engine(t, voice) }})
		})
	}
}

func TestEveryVoiceSounds(t *testing.T) {
	for _, voice := range Voices() {
		got := ttstest.Collect(t, engine(t, voice), t.Context(), ttstest.Text("Hello, how are you today?"))
		loudest := 0
		for _, x := range got.PCM {
			loudest = max(loudest, int(x), -int(x))
		}
		if got.Err != nil || got.Rate != Rate || got.Duration() < time.Second || loudest < 6000 || loudest > 32000 {
			t.Errorf("%s: %v at %d Hz, loudest sample %d, error %v", voice, got.Duration(), got.Rate, loudest, got.Err)
		}
	}
}

func TestSoundBeginsAtOnceAndPausesAreShort(t *testing.T) {
	for _, voice := range Voices() {
		t.Run(voice, func(t *testing.T) { soundBeginsAtOnce(t, engine(t, voice)) })
	}
}

func soundBeginsAtOnce(t *testing.T, e *Engine) {
	got := ttstest.Collect(t, e, t.Context(), ttstest.Text("Good morning. ", "What time is it?"))
	lead, longest, run := -1, 0, 0
	for i, x := range got.PCM {
		if x >= e.silence || x <= -e.silence {
			if lead < 0 {
				lead = i
			}
			longest, run = max(longest, run), 0
			continue
		}
		if lead >= 0 {
			run++
		}
	}
	if d := audio.SamplesToDuration(lead, Rate); d > 10*time.Millisecond {
		t.Errorf("%v of silence at the start", d)
	}
	if d := audio.SamplesToDuration(longest, Rate); d > 300*time.Millisecond {
		t.Errorf("a pause of %v", d)
	}
	if first := got.Words[0]; first.Start > 60*time.Millisecond {
		t.Errorf("the first word begins at %v, though silence was taken off", first.Start)
	}
}

func TestWordsLieWhereTheySound(t *testing.T) {
	text := "It costs $5.99 at 10:30, café don't \"quote\" 3.14."
	got := ttstest.Collect(t, engine(t, "slt"), t.Context(), ttstest.Text(text))
	var texts []string
	for i, w := range got.Words {
		texts = append(texts, w.Text)
		if w.End-w.Start < 30*time.Millisecond {
			t.Errorf("%q takes %v", w.Text, w.End-w.Start)
		}
		if i > 0 && w.Start < got.Words[i-1].End {
			t.Errorf("%q begins before %q has ended", w.Text, got.Words[i-1].Text)
		}
	}
	if s := strings.Join(texts, " "); s != text {
		t.Errorf("words %q", s)
	}
}

func TestSpeed(t *testing.T) {
	var d [2]time.Duration
	for i, speed := range []float64{1, 2} {
		e, err := New(Config{Voice: "kal16", Speed: speed}, nil)
		if err != nil {
			t.Fatal(err)
		}
		d[i] = ttstest.Collect(t, e, t.Context(), ttstest.Text("one two three four five six seven eight")).Duration()
	}
	if ratio := float64(d[0]) / float64(d[1]); ratio < 1.7 || ratio > 2.3 {
		t.Errorf("%v at speed 1, %v at speed 2", d[0], d[1])
	}
}

func TestLongClauseKeepsItsWordsAcrossPieces(t *testing.T) {
	text := strings.TrimSpace(strings.Repeat("one two three four five six seven, ", 12))
	got := ttstest.Collect(t, engine(t, "kal16"), t.Context(), ttstest.Text(text))
	if len(got.Words) != 84 {
		t.Errorf("%d words", len(got.Words))
	}
	if last := got.Words[len(got.Words)-1]; got.Duration()-last.End > 400*time.Millisecond {
		t.Errorf("the last word ends at %v of %v", last.End, got.Duration())
	}
}

func TestManyAtOnce(t *testing.T) {
	e := engine(t, "slt")
	want := ttstest.Collect(t, e, t.Context(), ttstest.Text("one two three four")).Duration()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 4 {
				got := ttstest.Collect(t, e, t.Context(), ttstest.Text("one two three four"))
				if d := got.Duration() - want; got.Err != nil || d < -50*time.Millisecond || d > 50*time.Millisecond {
					t.Errorf("%v instead of %v, error %v", got.Duration(), want, got.Err)
				}
			}
		})
	}
	wg.Wait()
}

func TestStopInsideFlite(t *testing.T) {
	e := engine(t, "slt")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	err := e.say(ctx, "a fairly long sentence that would take a while to say", func(pcm []int16, _ ...tts.Word) error {
		if n++; n == 3 {
			cancel()
		}
		return nil
	})
	if fault.KindOf(err) != fault.Canceled || n != 3 {
		t.Errorf("error %v after %d pieces", err, n)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, cfg := range []Config{{}, {Voice: "bob", Speed: 1}, {Voice: "slt", Speed: 0}, {Voice: "slt", Speed: 9}} {
		if err := Check(cfg); fault.KindOf(err) != fault.Misconfigured {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	if err := Check(DefaultConfig()); err != nil {
		t.Error(err)
	}
}

var _ perclause.Func = (*Engine)(nil).say

// BenchmarkFirstAudio is the time from the clause to the first sample of the
// stream, which with trimmed silence is the first that is heard.
func BenchmarkFirstAudio(b *testing.B) {
	for _, voice := range []string{"slt", "kal16"} {
		for _, text := range []string{"Hello there.", "The weather in London is fine today,"} {
			b.Run(voice+"/"+strings.ReplaceAll(text, " ", "_"), func(b *testing.B) {
				e := engine(b, voice)
				for b.Loop() {
					for _, err := range e.Speak(b.Context(), ttstest.Text(text)) {
						if err != nil {
							b.Fatal(err)
						}
						break
					}
				}
			})
		}
	}
}

// BenchmarkSpeech reports the processor time of a second of speech.
func BenchmarkSpeech(b *testing.B) {
	e := engine(b, "slt")
	var spoken time.Duration
	for b.Loop() {
		for s, err := range e.Speak(b.Context(), ttstest.Text("The weather in London is fine today, and it will stay so.")) {
			if err != nil {
				b.Fatal(err)
			}
			spoken += audio.SamplesToDuration(len(s.PCM), s.Rate)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/spoken.Seconds(), "µs/s")
	runtime.KeepAlive(e)
}
