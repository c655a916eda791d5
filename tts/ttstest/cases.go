package ttstest

import (
	"context"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/tts"
)

const (
	first  = "Good morning, "
	second = "the train to London leaves at ten thirty. "
	third  = "Shall I tell you more about it?"
)

func collect(t *testing.T, v tts.Voice, ctx context.Context, text iter.Seq[string]) (got Spoken) {
	t.Helper()
	within(t, func() { got = Collect(t, v, ctx, text) })
	return got
}

func clauses(t *testing.T, f Fixture) {
	got := collect(t, f.New(t), t.Context(), Text(first, second, third))
	got.check(t, first, second, third)
	got.checkSounds(t, 17)
}

func oneSentence(t *testing.T, f Fixture) {
	got := collect(t, f.New(t), t.Context(), Text("Hello, how are you?"))
	got.check(t, "Hello, how are you?")
	got.checkSounds(t, 4)
	if got.Pieces < 3 {
		t.Errorf("only %d pieces: it does not stream", got.Pieces)
	}
}

func words(t *testing.T, f Fixture) {
	got := collect(t, f.New(t), t.Context(), Text("hello world, ", "how are you"))
	got.check(t, "hello world, ", "how are you")
	if !f.Words {
		if len(got.Words) > 0 {
			t.Errorf("words %v from an engine that has none", got.Words)
		}
		return
	}
	var texts []string
	for _, w := range got.Words {
		texts = append(texts, strings.Trim(w.Text, ","))
	}
	if s := strings.Join(texts, " "); s != "hello world how are you" {
		t.Errorf("words %q", s)
	}
}

func noText(t *testing.T, f Fixture) {
	got := collect(t, f.New(t), t.Context(), Text())
	got.check(t)
	if got.Pieces > 0 {
		t.Errorf("%d pieces of no text", got.Pieces)
	}
}

func blankClauses(t *testing.T, f Fixture) {
	got := collect(t, f.New(t), t.Context(), Text(" ", first, "...", "\n"))
	got.check(t, " ", first, "...", "\n")
}

func oddText(t *testing.T, f Fixture) {
	odd := []string{
		"😀👍🏽", "See https://example.com/a?b=c&d=e#f now", "tab\tnew\nline\x00nul\x1b[31m\x07\u202ebidi", "\xff\xfe broken \xc3",
		"-h --version -f /etc/passwd", "; rm -rf \"$HOME\" `id` | cat", "<speak><break time=\"99s\"/>&amp;</speak>", "你好，世界。", "مرحبا", "Ĳ ﬁ ß Æ ñ",
		strings.Repeat("a", 300), "((((((((", "1234567890123456789012345678901234567890", "[[h@'loU]]", "%s%n%d",
	}
	v := f.New(t)
	for _, s := range odd {
		got := collect(t, v, t.Context(), Text(s))
		got.check(t, s)
	}
	long := strings.Repeat("This clause goes on and on, ", 5*1024/28)
	var begin Spoken
	within(t, func() {
		for s, err := range v.Speak(t.Context(), Text(long)) {
			if err != nil {
				t.Error(err)
				break
			}
			if begin.add(t, s); begin.Duration() > 5*time.Second {
				break // enough, the rest takes minutes
			}
		}
	})
	if len(begin.Clauses) != 1 || begin.Clauses[0] != long || begin.Duration() < 5*time.Second {
		t.Errorf("5 KB of text: %d clauses, %v of audio", len(begin.Clauses), begin.Duration())
	}
}

func firstBeforeSecond(t *testing.T, f Fixture) {
	heard := make(chan struct{})
	var once sync.Once
	text := func(yield func(string) bool) {
		if yield(first) {
			<-heard
			yield(second)
		}
	}
	var got Spoken
	v := f.New(t)
	within(t, func() {
		for s, err := range v.Speak(t.Context(), text) {
			if err != nil {
				t.Error(err)
				break
			}
			got.add(t, s)
			if len(got.PCM) > 0 {
				once.Do(func() { close(heard) })
			}
		}
		once.Do(func() { close(heard) })
	})
	got.check(t, first, second)
}

func firstBeforeThird(t *testing.T, f Fixture) {
	var sounded, early atomic.Bool
	text := func(yield func(string) bool) {
		if !yield(first) || !yield(second) {
			return
		}
		early.Store(!sounded.Load())
		yield(third)
	}
	v := f.New(t)
	within(t, func() {
		for s, err := range v.Speak(t.Context(), text) {
			if err != nil {
				t.Error(err)
			}
			if len(s.PCM) > 0 {
				sounded.Store(true)
			}
		}
	})
	if early.Load() {
		t.Error("the third clause was pulled before the first sounded")
	}
}

func nothingBeforeTheLoop(t *testing.T, f Fixture) {
	var pulled atomic.Bool
	stream := f.New(t).Speak(t.Context(), func(yield func(string) bool) { pulled.Store(true) })
	if pulled.Load() {
		t.Error("the text was pulled before the stream was read")
	}
	within(t, func() {
		for range stream {
			t.Error("a piece of nothing")
		}
	})
}

func cancelledBeforeStart(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := collect(t, f.New(t), ctx, func(func(string) bool) { t.Error("the text was pulled") })
	mustBeCancelled(t, got.Err)
	if got.Pieces > 0 {
		t.Errorf("%d pieces", got.Pieces)
	}
}

// endless is a text that goes on and notes whether it is pulled after over.
type endless struct {
	over, late atomic.Bool
}

func (e *endless) text(yield func(string) bool) {
	for yield(second) {
		if e.over.Load() {
			e.late.Store(true)
			return
		}
	}
}

func (e *endless) check(t *testing.T) {
	t.Helper()
	if e.late.Load() {
		t.Error("the text was pulled after the stream had ended")
	}
}

func cancelledWhileSpeaking(t *testing.T, f Fixture) {
	for _, after := range []int{1, 2, 40} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var src endless
		var cancelled time.Time
		v := f.New(t)
		pieces := 0
		within(t, func() {
			for _, err := range v.Speak(ctx, src.text) {
				switch pieces++; {
				case err != nil && pieces <= after:
					t.Errorf("error %v", err)
				case err != nil:
					mustBeCancelled(t, err)
				case pieces > after:
					t.Errorf("audio came after the cancel")
				case pieces == after:
					cancelled = time.Now()
					cancel()
				}
			}
		})
		t.Logf("cancelled at piece %d: ended after %v", after, time.Since(cancelled))
		src.over.Store(true)
		src.check(t)
	}
}

func cancelledWhileWaiting(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cancelled time.Time
	asked := make(chan struct{})
	text := func(yield func(string) bool) {
		if yield(first) {
			close(asked)
			<-ctx.Done()
		}
	}
	go func() {
		select {
		case <-asked:
			cancelled = time.Now()
		case <-ctx.Done():
		}
		cancel()
	}()
	got := collect(t, f.New(t), ctx, text)
	t.Logf("ended after %v", time.Since(cancelled))
	mustBeCancelled(t, got.Err)
}

func loopLeftEarly(t *testing.T, f Fixture) {
	var src endless
	v := f.New(t)
	n := 0
	within(t, func() {
		for _, err := range v.Speak(t.Context(), src.text) {
			if err != nil {
				t.Error(err)
			}
			if n++; n == 2 {
				break
			}
		}
	})
	src.over.Store(true)
	src.check(t)
}

func loopLeftWhileWaiting(t *testing.T, f Fixture) {
	left := make(chan struct{})
	var more atomic.Bool
	text := func(yield func(string) bool) {
		if yield(first) {
			<-left
			more.Store(yield(second))
		}
	}
	v := f.New(t)
	within(t, func() {
		for range v.Speak(t.Context(), text) {
			break
		}
	})
	close(left)
	if more.Load() {
		t.Error("the text was pulled on after the loop was left")
	}
}

func concurrent(t *testing.T, f Fixture) {
	v := f.New(t)
	var wg sync.WaitGroup
	for _, want := range [][]string{{first, second}, {third}, {second, third}} {
		wg.Go(func() {
			got := Collect(t, v, t.Context(), Text(want...))
			got.check(t, want...)
			got.checkSounds(t, len(strings.Fields(strings.Join(want, ""))))
		})
	}
	within(t, wg.Wait)
}

func usedAgain(t *testing.T, f Fixture) {
	v := f.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	within(t, func() {
		for range v.Speak(ctx, Text(first, second)) {
			cancel()
		}
	})
	cancel()
	for range 2 {
		got := collect(t, v, t.Context(), Text(first))
		got.check(t, first)
		got.checkSounds(t, 2)
	}
}
