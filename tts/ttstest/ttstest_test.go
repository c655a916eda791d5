package ttstest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/tts"
)

// recorder is a testing.TB that keeps what is reported.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper()           {}
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(f, args...))
}

// voice yields what it is made of, whatever the text.
func voice(pieces ...tts.Speech) tts.Voice {
	return tts.Func(func(context.Context, iter.Seq[string]) iter.Seq2[tts.Speech, error] {
		return func(yield func(tts.Speech, error) bool) {
			for _, p := range pieces {
				if !yield(p, nil) {
					return
				}
			}
		}
	})
}

func TestCollectSeesBreaches(t *testing.T) {
	loud := slices.Repeat([]int16{5000, -5000}, 1600)
	good := tts.Speech{PCM: loud, Rate: 16000, Clause: "hi"}
	word := func(text string, start, end time.Duration) tts.Speech {
		return tts.Speech{Rate: 16000, Words: []tts.Word{{Text: text, Start: start, End: end}}}
	}
	ms := time.Millisecond
	for _, tt := range []struct {
		name   string
		pieces []tts.Speech
		want   string // part of the first error; "" for none
	}{
		{"good", []tts.Speech{good, word("hi", 0, 200*ms)}, ""},
		{"rate", []tts.Speech{{PCM: loud, Rate: 22050, Clause: "hi"}}, "none of Opus's"},
		{"changing rate", []tts.Speech{good, {Rate: 8000}}, "the rate changes"},
		{"unmarked", []tts.Speech{{PCM: loud, Rate: 16000}}, "does not say its clause"},
		{"wrong clause", []tts.Speech{{PCM: loud, Rate: 16000, Clause: "ho"}}, "clauses"},
		{"clause missing", []tts.Speech{}, "clauses"},
		{"huge piece", []tts.Speech{{PCM: make([]int16, 16000), Rate: 16000, Clause: "hi"}}, "too long"},
		{"backward words", []tts.Speech{good, word("b", 100*ms, 200*ms), word("a", 0, 50*ms)}, "before"},
		{"backward word", []tts.Speech{good, word("a", 100*ms, 50*ms)}, `word "a"`},
		{"word of the future", []tts.Speech{good, word("a", 300*ms, 350*ms)}, "are known"},
		{"word beyond the end", []tts.Speech{good, word("a", 100*ms, 201*ms)}, "after the audio"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{TB: t}
			for i := range tt.pieces {
				tt.pieces[i].PCM = slices.Clone(tt.pieces[i].PCM)
			}
			Collect(rec, voice(tt.pieces...), t.Context(), Text("hi")).check(rec, "hi")
			switch {
			case tt.want == "" && len(rec.errors) > 0:
				t.Errorf("reported %q", rec.errors)
			case tt.want != "" && (len(rec.errors) == 0 || !strings.Contains(rec.errors[0], tt.want)):
				t.Errorf("reported %q, want %q", rec.errors, tt.want)
			}
		})
	}
}

func TestCheckSoundsSeesSilenceAndLength(t *testing.T) {
	for _, tt := range []struct {
		name string
		pcm  []int16
		bad  bool
	}{
		{"good", slices.Repeat([]int16{4000}, 16000), false},
		{"silent", make([]int16, 16000), true},
		{"short", slices.Repeat([]int16{4000}, 100), true},
		{"long", slices.Repeat([]int16{4000}, 16000*60), true},
	} {
		rec := &recorder{TB: t}
		Spoken{PCM: tt.pcm, Rate: 16000}.checkSounds(rec, 4)
		if (len(rec.errors) > 0) != tt.bad {
			t.Errorf("%s: reported %q", tt.name, rec.errors)
		}
	}
}
