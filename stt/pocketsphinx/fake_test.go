package pocketsphinx

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"parley/audio"
	"parley/stt"
	"parley/stt/sttest"
)

// fake decodes at a fifth of real time, in steps of 4 ms for 20 ms of sound,
// in the time of the bubble it runs in.
type fake struct {
	busy   atomic.Bool
	closed bool
	live   int
	quick  bool
}

const fakeStep = 4 * time.Millisecond

var errUtterlyBroken = errors.New("broken")

func (f *fake) enter() func() {
	if f.closed || f.busy.Swap(true) {
		panic("a decoder serves two at a time, or after its end")
	}
	return func() { f.busy.Store(false) }
}

func (f *fake) search(samples int, stop *atomic.Bool) error {
	for range (samples + 319) / 320 {
		if stop.Load() {
			return errStopped
		}
		if !f.quick {
			time.Sleep(fakeStep)
		}
	}
	return nil
}

func (f *fake) decode(pcm []int16, stop *atomic.Bool) (stt.Transcript, error) {
	defer f.enter()()
	if err := f.search(len(pcm), stop); err != nil {
		return stt.Transcript{}, err
	}
	return stt.Transcript{Text: fmt.Sprintf("%d ms", len(pcm)/16), Final: true}, nil
}

func (f *fake) begin() error {
	defer f.enter()()
	f.live = 0
	return nil
}

func (f *fake) hear(pcm []int16, stop *atomic.Bool) (string, error) {
	defer f.enter()()
	if err := f.search(len(pcm), stop); err != nil {
		return "", err
	}
	f.live += len(pcm)
	return fmt.Sprintf("%d ms so far", f.live/16), nil
}

func (f *fake) close() {
	defer f.enter()()
	f.closed = true
}

const loadTime = 300 * time.Millisecond

// loader opens fakes after loadTime, the first failures of them not at all; with
// quick set, nothing takes any time.
type loader struct {
	failures int
	quick    bool
	opened   atomic.Int32
}

func (l *loader) open() (decoder, error) {
	if !l.quick {
		time.Sleep(loadTime)
	}
	if n := l.opened.Add(1); int(n) <= l.failures {
		return nil, errUtterlyBroken
	}
	return &fake{quick: l.quick}, nil
}

func openFake(t *testing.T, l *loader, change func(*Config)) *Engine {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Decoders = 2
	if change != nil {
		change(&cfg)
	}
	e := newEngine(cfg, nil, l.open)
	t.Cleanup(e.Close)
	return e
}

// paced lends frames of sound as a call does: one every 20 ms, marked by mark,
// until ctx is done.
func paced(ctx context.Context, d time.Duration, mark func(at time.Duration) audio.Activity) iter.Seq[audio.Frame] {
	return func(yield func(audio.Frame) bool) {
		for f := range sttest.Frames(make([]int16, audio.DurationToSamples(d, audio.SpeechRate))) {
			select {
			case <-time.After(audio.FrameDuration):
			case <-ctx.Done():
				return
			}
			if mark != nil {
				f.Activity = mark(f.Start)
			}
			if !yield(f) {
				return
			}
		}
	}
}

// pausesFrom marks speech up to at, and silence afterwards.
func pausesFrom(at time.Duration) func(time.Duration) audio.Activity {
	return func(now time.Duration) audio.Activity {
		if now < at {
			return audio.Voice
		}
		return audio.Pause
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
