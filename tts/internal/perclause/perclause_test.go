package perclause

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"parley/tts"
	"parley/tts/ttstest"
)

const rate = 16000

// sound is ms milliseconds of a loud sample, quiet as many of silence.
func sound(ms int) []int16 { return slices.Repeat([]int16{5000}, ms*rate/1000) }
func quiet(ms int) []int16 { return make([]int16, ms*rate/1000) }

func join(parts ...[]int16) []int16 { return slices.Concat(parts...) }

// says is a voice that gives pcm, in parts of size samples, for every clause.
func says(pcm []int16, size int, words ...tts.Word) *Voice {
	return &Voice{Rate: rate, Threshold: 100, Say: func(_ context.Context, _ string, emit Emit) error {
		w := words
		for part := range slices.Chunk(pcm, size) {
			if err := emit(part, w...); err != nil {
				return err
			}
			w = nil
		}
		return nil
	}}
}

func TestTrim(t *testing.T) {
	for _, tt := range []struct {
		name, clause string
		in, want     []int16
	}{
		{"both ends", "a.", join(quiet(200), sound(100), quiet(500)), join(quiet(10), sound(100), quiet(200))},
		{"after a comma", "a,", join(quiet(200), sound(100), quiet(500)), join(quiet(10), sound(100), quiet(100))},
		{"quote after the sentence", "\"a.\" ", join(sound(100), quiet(500)), join(sound(100), quiet(200))},
		{"short silence stays", "a", join(quiet(5), sound(100), quiet(30)), join(quiet(5), sound(100), quiet(30))},
		{"pause inside stays", "a", join(sound(50), quiet(700), sound(50)), join(sound(50), quiet(700), sound(50))},
		{"endless pause", "a", join(sound(50), quiet(5000), sound(50)), join(sound(50), quiet(2000), sound(50))},
		{"nothing but silence", "a", quiet(1000), nil},
		{"nothing", "a", nil, nil},
	} {
		for _, size := range []int{7, 160, 1 << 20} {
			got := ttstest.Collect(t, says(tt.in, size), t.Context(), ttstest.Text(tt.clause))
			if got.Err != nil || !slices.Equal(got.PCM, tt.want) || !slices.Equal(got.Clauses, []string{tt.clause}) {
				t.Errorf("%s, parts of %d: %v of audio, want %d samples; clauses %q, %v",
					tt.name, size, got.Duration(), len(tt.want), got.Clauses, got.Err)
			}
		}
	}
}

func TestWordsFollowTheTrimming(t *testing.T) {
	ms := time.Millisecond
	pcm := join(quiet(200), sound(100), quiet(100), sound(100), quiet(500))
	words := []tts.Word{{Text: "a", Start: 200 * ms, End: 300 * ms}, {Text: "b", Start: 400 * ms, End: 650 * ms}, {Text: "c", Start: 2000 * ms, End: 3000 * ms}}
	got := ttstest.Collect(t, says(pcm, 160, words...), t.Context(), ttstest.Text("a, ", "b, "))
	var firsts []time.Duration
	for _, w := range got.Words {
		firsts = append(firsts, w.Start)
	}
	one := got.Duration() / 2
	want := []time.Duration{10 * ms, 210 * ms, one, one + 10*ms, one + 210*ms, 2 * one}
	if !slices.Equal(firsts, want) {
		t.Errorf("words begin at %v, want %v", firsts, want)
	}
	for _, w := range got.Words {
		if w.End > got.Duration() {
			t.Errorf("%q ends at %v of %v", w.Text, w.End, got.Duration())
		}
	}
}

func TestNothingIsTrimmedWithoutThreshold(t *testing.T) {
	v := says(join(quiet(100), sound(10), quiet(300)), 333)
	v.Threshold = 0
	if got := ttstest.Collect(t, v, t.Context(), ttstest.Text("a")); got.Duration() != 410*time.Millisecond {
		t.Errorf("%v", got.Duration())
	}
}

// TestTrimKeepsSound: whatever comes, the sound between the first and the last
// loud sample is kept, but for pauses that are too long.
func TestTrimKeepsSound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var in []int16
		for range rapid.IntRange(0, 8).Draw(rt, "runs") {
			in = append(in, sound(rapid.IntRange(0, 60).Draw(rt, "sound"))...)
			in = append(in, quiet(rapid.IntRange(0, 900).Draw(rt, "quiet"))...)
		}
		size := rapid.IntRange(1, 5000).Draw(rt, "size")
		got := ttstest.Collect(t, says(in, size), t.Context(), ttstest.Text("a."))
		first, last := firstLoud(in, 100), lastLoud(in, 100)
		if first < 0 {
			if len(got.PCM) > 0 {
				rt.Fatalf("%d samples of silence", len(got.PCM))
			}
			return
		}
		start := max(0, first-10*rate/1000)
		end := min(len(in), last+1+200*rate/1000)
		if !slices.Equal(got.PCM, in[start:end]) {
			rt.Fatalf("%d samples instead of %d", len(got.PCM), end-start)
		}
	})
}

func TestOneClauseAheadNotTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int32
		v := &Voice{Rate: rate, Say: func(_ context.Context, _ string, emit Emit) error {
			begun.Add(1)
			return emit(sound(20))
		}}
		delivered := int32(0)
		for range v.Speak(t.Context(), ttstest.Text("1", "2", "3", "4", "5")) {
			delivered++
			synctest.Wait() // all that may be made now has been
			if n := begun.Load(); n != min(5, delivered+1) {
				t.Errorf("%d clauses begun with %d delivered", n, delivered)
			}
		}
	})
}

func TestAudioMadeAheadIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := atomic.Int32{}
		v := &Voice{Rate: rate, Buffer: 200 * time.Millisecond, Say: func(_ context.Context, _ string, emit Emit) error {
			for range 100 {
				if err := emit(sound(20)); err != nil {
					return err
				}
				made.Add(20)
			}
			return nil
		}}
		heard := int32(0)
		for s := range v.Speak(t.Context(), ttstest.Text("1")) {
			heard += int32(len(s.PCM) * 1000 / rate)
			synctest.Wait()
			if ahead := made.Load() - heard; ahead > 220 {
				t.Fatalf("%d ms ahead", ahead)
			}
		}
	})
}

func TestAPauseOfTheModelDoesNotHoldUpAudio(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		text := func(yield func(string) bool) {
			if yield("1") {
				time.Sleep(time.Hour) // the model thinks
				yield("2")
			}
		}
		var last time.Duration
		n := 0
		for s := range says(sound(500), 160).Speak(t.Context(), text) {
			if n += len(s.PCM); n <= 8000 {
				last = time.Since(start)
			}
		}
		if last != 0 || n != 16000 {
			t.Errorf("the first clause was delivered after %v, %d samples in all", last, n)
		}
	})
}

func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	v := &Voice{Rate: rate, Say: func(_ context.Context, clause string, emit Emit) error {
		if err := emit(sound(30)); err != nil {
			return err
		}
		if strings.HasPrefix(clause, "bad") {
			return broken
		}
		return nil
	}}
	got := ttstest.Collect(t, v, t.Context(), ttstest.Text("good", "bad", "more"))
	if !errors.Is(got.Err, broken) || !slices.Equal(got.Clauses, []string{"good", "bad"}) || got.Duration() != 60*time.Millisecond {
		t.Errorf("clauses %q, %v of audio, %v", got.Clauses, got.Duration(), got.Err)
	}
}

func TestTheContextsErrorIsTold(t *testing.T) {
	v := &Voice{Rate: rate, Say: func(ctx context.Context, _ string, _ Emit) error {
		<-ctx.Done()
		return errors.New("some way of saying that it was stopped")
	}}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := ttstest.Collect(t, v, ctx, ttstest.Text("a")); !errors.Is(got.Err, context.DeadlineExceeded) {
			t.Errorf("error %v", got.Err)
		}
	})
}

func TestBuffersAreUsedAgain(t *testing.T) {
	v := says(sound(4000), 320)
	allocs := testing.AllocsPerRun(5, func() {
		for range v.Speak(t.Context(), ttstest.Text("a")) {
		}
	})
	if allocs > 150 { // 200 pieces
		t.Errorf("%v allocations for 200 pieces", allocs)
	}
}

func FuzzSpeak(f *testing.F) {
	f.Add([]byte("\x00\x00\xff\x7f\x00"), 3, "a.")
	f.Fuzz(func(t *testing.T, b []byte, size int, clause string) {
		clause += "." // an empty one cannot be told from none
		pcm := make([]int16, len(b))
		for i, x := range b {
			pcm[i] = int16(x) << 7
		}
		v := says(pcm, 1+max(0, size%500), tts.Word{Text: "w", Start: 0, End: time.Second})
		got := ttstest.Collect(t, v, t.Context(), ttstest.Text(clause, clause))
		if got.Err != nil || len(got.PCM) > 2*len(pcm) || len(got.Words) > 2 {
			t.Errorf("%d samples of %d, words %v, %v", len(got.PCM), len(pcm), got.Words, got.Err)
		}
	})
}
