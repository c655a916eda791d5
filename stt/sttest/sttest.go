// Package sttest is the conformance suite every speech-to-text engine passes,
// with the recordings and the word-error measure their tests share.
//
// May import: stt, audio, internal/fault, goleak, testing and the standard library.
// Concurrency: Run uses the engine from several goroutines at a time.
package sttest

import (
	"context"
	"iter"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/audio"
	"parley/internal/fault"
	"parley/stt"
)

// Patience is how long the suite waits for a stream that must end at once
// before it calls it hung. The contract says 20 ms; the time taken is logged,
// since a wall clock on a busy machine proves nothing.
const Patience = 2 * time.Second

// Fixture is an engine and what it is to understand.
type Fixture struct {
	Engine   stt.Transcriber
	Speech   []int16 // one utterance, 16 kHz mono; nil: two seconds of a tone
	Want     string  // the final text for Speech; "" demands any but an empty one
	Partials bool    // the engine promises at least one partial for Speech
}

// Run tests the engine that open returns, a fresh one for each case. Open
// registers what ends the engine with t.Cleanup; afterwards no goroutine may
// be left.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before) }) // runs after the cleanups of open
			f := open(t)
			if f.Speech == nil {
				f.Speech = Tone(2 * time.Second)
			}
			c.run(t, f)
		})
	}
}

type testCase struct {
	name string
	run  func(*testing.T, Fixture)
}

func cases() []testCase {
	return []testCase{
		{"empty utterance", emptyUtterance},
		{"utterance", utterance},
		{"utterance with activity", utteranceWithActivity},
		{"nothing before the loop", nothingBeforeTheLoop},
		{"cancelled before start", cancelledBeforeStart},
		{"cancelled while listening", cancelledWhileListening},
		{"cancelled while deciding", cancelledWhileDeciding},
		{"loop left early", loopLeftEarly},
		{"concurrent", concurrent},
		{"used again", usedAgain},
	}
}

func emptyUtterance(t *testing.T, f Fixture) {
	got := collect(t, f.Engine, t.Context(), newSource(nil))
	if got.err != nil || len(got.all) != 1 || !got.all[0].Final || got.all[0].Text != "" {
		t.Fatalf("an empty utterance gave %+v, %v; want one final without text", got.all, got.err)
	}
}

func utterance(t *testing.T, f Fixture) {
	check(t, f, collect(t, f.Engine, t.Context(), newSource(f.Speech)))
}

func utteranceWithActivity(t *testing.T, f Fixture) {
	src := newSource(append(append([]int16(nil), f.Speech...), make([]int16, audio.SpeechRate/5)...))
	src.activity = func(i, n int) audio.Activity {
		// A short breath in the middle, the end of speech, and a straggler.
		if i == n/2 || i >= n-10 {
			return audio.Pause
		}
		return audio.Voice
	}
	check(t, f, collect(t, f.Engine, t.Context(), src))
}

func nothingBeforeTheLoop(t *testing.T, f Fixture) {
	src := newSource(f.Speech)
	stream := f.Engine.Transcribe(t.Context(), src.frames)
	if n := src.pulled.Load(); n != 0 {
		t.Fatalf("%d frames were pulled before the stream was read", n)
	}
	for range stream {
	}
}

func cancelledBeforeStart(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	src := newSource(f.Speech)
	src.endless = true
	start := time.Now()
	got := collect(t, f.Engine, ctx, src)
	t.Logf("ended after %v and %d frames", time.Since(start), src.pulled.Load())
	mustBeCancelled(t, got)
}

func cancelledWhileListening(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cancelled time.Time
	src := newSource(f.Speech)
	src.hold = ctx
	src.at = func(i, n int) {
		if i == n/2 {
			cancelled = time.Now()
			cancel()
		}
	}
	got := collect(t, f.Engine, ctx, src)
	t.Logf("ended %v after cancel", time.Since(cancelled))
	mustBeCancelled(t, got)
	if n := int(src.pulled.Load()); n > src.len()/2+3 {
		t.Errorf("%d frames of %d were pulled though the context ended half-way", n, src.len())
	}
}

func cancelledWhileDeciding(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var cancelled time.Time
	src := newSource(f.Speech)
	src.end = func() { cancelled = time.Now(); cancel() }
	got := collect(t, f.Engine, ctx, src)
	t.Logf("ended %v after cancel", time.Since(cancelled))
	if got.err != nil { // an engine that was quick enough may still give its final
		mustBeCancelled(t, got)
	}
}

func loopLeftEarly(t *testing.T, f Fixture) {
	src := newSource(f.Speech)
	n := 0
	within(t, func() {
		for range f.Engine.Transcribe(t.Context(), src.frames) {
			n++
			break
		}
	})
	src.ended.Store(true)
	if n != 1 {
		t.Fatal("the stream held nothing")
	}
	if src.late.Load() {
		t.Error("speech was pulled after the stream had ended")
	}
}

func concurrent(t *testing.T, f Fixture) {
	const callers = 3
	results := make(chan outcome, callers)
	for range callers {
		go func() { results <- read(f.Engine, t.Context(), newSource(f.Speech)) }()
	}
	for range callers {
		check(t, f, <-results)
	}
}

func usedAgain(t *testing.T, f Fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	src := newSource(f.Speech)
	src.end = cancel
	collect(t, f.Engine, ctx, src)
	first := collect(t, f.Engine, t.Context(), newSource(f.Speech))
	check(t, f, first)
	second := collect(t, f.Engine, t.Context(), newSource(f.Speech))
	check(t, f, second)
}

// outcome is all a stream held.
type outcome struct {
	all  []stt.Transcript
	err  error
	odd  string // a breach of the order of elements
	late bool   // speech was pulled after the end
	src  *source
}

func read(e stt.Transcriber, ctx context.Context, src *source) outcome {
	o := outcome{src: src}
	for tr, err := range e.Transcribe(ctx, src.frames) {
		switch {
		case o.err != nil:
			o.odd = "something follows an error"
		case len(o.all) > 0 && o.all[len(o.all)-1].Final:
			o.odd = "something follows the final transcript"
		}
		if err != nil {
			o.err = err
			continue
		}
		o.all = append(o.all, tr)
	}
	src.ended.Store(true)
	o.late = src.late.Load()
	return o
}

func collect(t *testing.T, e stt.Transcriber, ctx context.Context, src *source) outcome {
	t.Helper()
	var o outcome
	run := func() { o = read(e, ctx, src) }
	if ctx.Done() == t.Context().Done() {
		run() // an utterance may take its time
	} else {
		within(t, run)
	}
	if o.odd != "" {
		t.Error(o.odd)
	}
	if o.late {
		t.Error("speech was pulled after the stream had ended")
	}
	if n := src.starts.Load(); n > 1 {
		t.Errorf("speech was read %d times", n)
	}
	return o
}

func within(t *testing.T, run func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); run() }()
	select {
	case <-done:
	case <-time.After(Patience):
		t.Fatalf("the stream has not ended after %v", Patience)
	}
}

// check holds a complete stream against the contract and the fixture.
func check(t *testing.T, f Fixture, o outcome) {
	t.Helper()
	if o.err != nil {
		t.Fatalf("stream failed: %v", o.err)
	}
	if len(o.all) == 0 || !o.all[len(o.all)-1].Final {
		t.Fatalf("no final transcript at the end of %+v", o.all)
	}
	final := o.all[len(o.all)-1]
	if f.Want == "" && final.Text == "" || f.Want != "" && final.Text != f.Want {
		t.Errorf("final text %q, want %q", final.Text, f.Want)
	}
	if f.Partials && len(o.all) < 2 {
		t.Error("no partial came before the final")
	}
	for _, p := range o.all[:len(o.all)-1] {
		if p.Final {
			t.Error("a partial says it is final")
		}
		if p.Text == "" {
			t.Error("a partial holds no text")
		}
	}
	checkWords(t, final, audio.SamplesToDuration(o.src.samples, audio.SpeechRate))
}

func checkWords(t *testing.T, tr stt.Transcript, length time.Duration) {
	t.Helper()
	if tr.Confidence < 0 || tr.Confidence > 1 {
		t.Errorf("confidence %v is outside 0..1", tr.Confidence)
	}
	var last time.Duration
	for _, w := range tr.Words {
		if w.Start < last || w.End < w.Start || w.End > length+audio.FrameDuration {
			t.Errorf("word from %v to %v, after %v, in an utterance of %v", w.Start, w.End, last, length)
		}
		if w.Confidence < 0 || w.Confidence > 1 {
			t.Errorf("word confidence %v is outside 0..1", w.Confidence)
		}
		last = w.Start
	}
}

func mustBeCancelled(t *testing.T, o outcome) {
	t.Helper()
	if k := fault.KindOf(o.err); o.err != nil && k != fault.Canceled {
		t.Errorf("error %v of kind %q, want the context's", o.err, k)
	}
	for _, tr := range o.all {
		if tr.Final {
			t.Errorf("a final transcript came after cancel: %+v", tr)
		}
	}
}

// Frames cuts pcm (16 kHz mono) into 20 ms frames, the last one shorter where
// it must be. The frames share pcm.
func Frames(pcm []int16) iter.Seq[audio.Frame] {
	return func(yield func(audio.Frame) bool) {
		n := audio.DurationToSamples(audio.FrameDuration, audio.SpeechRate)
		for i := 0; i < len(pcm); i += n {
			f := audio.Frame{
				PCM: pcm[i:min(i+n, len(pcm))], Rate: audio.SpeechRate,
				Start: audio.SamplesToDuration(i, audio.SpeechRate),
			}
			if !yield(f) {
				return
			}
		}
	}
}
