package guard

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/audio"
	"parley/stt"
	"parley/stt/scripted"
	"parley/stt/sttest"
)

func TestConformance(t *testing.T) {
	sttest.Run(t, func(t *testing.T) sttest.Fixture {
		e, err := scripted.New(scripted.Config{Transcripts: []string{"good morning"}, Partials: true})
		if err != nil {
			t.Fatal(err)
		}
		return sttest.Fixture{Engine: guard(t, e, DefaultConfig()), Want: "good morning", Partials: true}
	})
}

func guard(t testing.TB, next stt.Transcriber, cfg Config) *Guard {
	t.Helper()
	g, err := New(next, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// sound is a stretch of an utterance.
type sound struct {
	length   time.Duration
	dbfs     float64
	activity audio.Activity
	origin   audio.Origin
}

func speech(parts ...sound) iter.Seq[audio.Frame] {
	return func(yield func(audio.Frame) bool) {
		for _, p := range parts {
			amplitude := math.Pow(10, p.dbfs/20) * 32768 // a square wave's RMS is its amplitude
			pcm := make([]int16, audio.DurationToSamples(p.length, audio.SpeechRate))
			for i := range pcm {
				pcm[i] = int16(min(amplitude, 32767))
				if i/40%2 == 0 {
					pcm[i] = -pcm[i]
				}
			}
			for f := range sttest.Frames(pcm) {
				f.Activity, f.Origin = p.activity, p.origin
				if !yield(f) {
					return
				}
			}
		}
	}
}

func TestJudgement(t *testing.T) {
	ms := time.Millisecond
	voice := func(d time.Duration, dbfs float64) sound {
		return sound{length: d, dbfs: dbfs, activity: audio.Voice}
	}
	for _, c := range []struct {
		name string
		text string
		in   []sound
		keep bool
	}{
		{"a spoken question", "What time is it?", []sound{voice(900*ms, -25)}, true},
		{"a spoken thank you", "Thank you.", []sound{voice(500*ms, -25)}, true},
		{"a quiet speaker", "what time is it", []sound{voice(900*ms, -50)}, true},
		{"a short yes", "Yes.", []sound{voice(160*ms, -25)}, true},
		{"pure silence", "Thank you.", []sound{{length: time.Second, dbfs: -90}}, false},
		{"silence the detector took for speech", "What time is it?", []sound{voice(time.Second, -70)}, false},
		{"a click", "What time is it?", []sound{voice(60*ms, -20), {length: time.Second, dbfs: -80, activity: audio.Pause}}, false},
		{"faint noise, known phrase", "Thanks for watching!", []sound{voice(900*ms, -48)}, false},
		{"faint noise, apostrophe", "Don't forget to like and subscribe.", []sound{voice(2*time.Second, -48)}, false},
		{"brief sound, known phrase", "Thank you.", []sound{voice(180*ms, -25)}, false},
		{"faint noise, Japanese credits", "ご視聴ありがとうございました。", []sound{voice(900*ms, -48)}, false},
		{"a click and noise after it", "What time is it?", []sound{voice(60*ms, -20), {length: time.Second, dbfs: -40, activity: audio.Pause}}, false},
		{"a click in noise, known phrase", "Thank you.", []sound{{length: 300 * ms, dbfs: -45}, voice(60*ms, -20)}, false},
		{"push to talk, after the end of a sentence", "please turn on the lights in the kitchen",
			[]sound{{length: 60 * ms, dbfs: -36, activity: audio.Pause}, {length: 2440 * ms, dbfs: -36}}, true},
		{"push to talk, wholly in the detector's pause", "What time is it?", []sound{{length: time.Second, dbfs: -36, activity: audio.Pause}}, true},
		{"push to talk, detected late", "please turn on the lights in the kitchen", []sound{{length: 1700 * ms, dbfs: -36}, voice(800*ms, -36)}, true},
		{"push to talk, detected at its very end", "Thank you.", []sound{{length: 700 * ms, dbfs: -36}, voice(40*ms, -36)}, true},
		{"push to talk, a pause and silence", "Thank you.", []sound{{length: 60 * ms, dbfs: -36, activity: audio.Pause}, {length: time.Second, dbfs: -70}}, false},
		{"push to talk, not judged", "What time is it?", []sound{{length: time.Second, dbfs: -30}}, true},
		{"push to talk, nothing said", "Thank you.", []sound{{length: time.Second, dbfs: -60}}, false},
		{"only concealed sound", "What time is it?", []sound{{length: time.Second, dbfs: -20, activity: audio.Voice, origin: audio.Concealed}}, false},
		{"a novel in half a second", "once upon a time there was a king who had three sons", []sound{voice(500*ms, -25)}, false},
		{"a fast talker", "once upon a time there was a king", []sound{voice(1100*ms, -25)}, true},
		{"circling on faint noise", "I'm sorry. I'm sorry. I'm sorry. I'm sorry.", []sound{voice(3*time.Second, -50)}, false},
		{"somebody in distress", "no no no no", []sound{voice(time.Second, -20)}, true},
		{"circling at speed", strings.Repeat("the cat sat ", 12), []sound{voice(2*time.Second, -20)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			next, err := scripted.New(scripted.Config{Transcripts: []string{c.text}})
			if err != nil {
				t.Fatal(err)
			}
			g := guard(t, next, DefaultConfig())
			var finals []stt.Transcript
			for tr, err := range g.Transcribe(t.Context(), speech(c.in...)) {
				if err != nil {
					t.Fatal(err)
				}
				finals = append(finals, tr)
			}
			want, emptied := c.text, uint64(0)
			if !c.keep {
				want, emptied = "", 1
			}
			if len(finals) != 1 || !finals[0].Final || finals[0].Text != want || g.Emptied() != emptied {
				t.Errorf("got %+v, %d emptied; want one final %q", finals, g.Emptied(), want)
			}
		})
	}
}

func TestRecordedSpeechPasses(t *testing.T) {
	for _, clip := range sttest.Recordings(t, sttest.SpeechDir(t)) {
		m := meter{minLevel: DefaultConfig().MinLevel}
		for range m.listen(sttest.Frames(clip.PCM)) {
		}
		g := guard(t, nil, DefaultConfig())
		if why := g.judge(clip.Text, m.heard()); why != "" {
			t.Errorf("%s: %+v: %s", clip.Name, m.heard(), why)
		}
	}
}

func TestPartialsWaitForSpeech(t *testing.T) {
	next, err := scripted.New(scripted.Config{
		Transcripts: []string{"one two three four"}, Partials: true, PartialEvery: 40 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for tr := range guard(t, next, DefaultConfig()).Transcribe(t.Context(), speech(
		sound{length: 50 * time.Millisecond, dbfs: -80, activity: audio.Voice},
		sound{length: time.Second, dbfs: -20, activity: audio.Voice},
	)) {
		got = append(got, tr.Text)
	}
	if want := []string{"one two three", "one two three four"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrorsAndDisabledPassThrough(t *testing.T) {
	broken := errors.New("broken")
	fail := stt.Func(func(context.Context, iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
		return func(yield func(stt.Transcript, error) bool) { yield(stt.Transcript{}, broken) }
	})
	for _, err := range guard(t, fail, DefaultConfig()).Transcribe(t.Context(), speech()) {
		if err != broken {
			t.Errorf("error %v, want the engine's", err)
		}
	}
	next, err := scripted.New(scripted.Config{Transcripts: []string{"thank you"}})
	if err != nil {
		t.Fatal(err)
	}
	for tr := range guard(t, next, Config{}).Transcribe(t.Context(), speech(sound{length: time.Second, dbfs: -90})) {
		if tr.Text != "thank you" {
			t.Errorf("a disabled guard made %q of it", tr.Text)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, bad := range []Config{{MinVoice: -1}, {BriefVoice: -1}, {MinLevel: 1}, {FaintLevel: 3}, {MaxWordsPerSecond: -1}} {
		if _, err := New(nil, bad, nil); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestPhrasesAreNormal(t *testing.T) {
	for _, p := range Phrases() {
		if normal(p) != p {
			t.Errorf("%q is listed, but compared as %q", p, normal(p))
		}
	}
}

func TestCircles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phrase := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 8).Draw(t, "phrase")
		times := rapid.IntRange(4, 9).Draw(t, "times")
		if !circles(slices.Repeat(phrase, times)) {
			t.Errorf("%d times %v does not circle", times, phrase)
		}
		different := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,6}`), 0, 40, rapid.ID[string]).Draw(t, "different")
		if circles(different) {
			t.Errorf("%v circles", different)
		}
	})
}

func FuzzNormal(f *testing.F) {
	f.Add("Thank you.")
	f.Add("\xff'’ [BLANK_AUDIO]  ")
	f.Fuzz(func(t *testing.T, text string) {
		n := normal(text)
		if normal(n) != n || strings.Contains(n, "  ") || strings.TrimSpace(n) != n {
			t.Errorf("%q became %q", text, n)
		}
	})
}
