package pocketsphinx

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"parley/audio"
	"parley/internal/fault"
	"parley/stt/sttest"
)

const ms = time.Millisecond

func pcm(d time.Duration) []int16 {
	return make([]int16, audio.DurationToSamples(d, audio.SpeechRate))
}

func TestConformanceOfTheEngineAroundTheDecoder(t *testing.T) {
	for name, speculate := range map[string]bool{"speculating": true, "waiting": false} {
		t.Run(name, func(t *testing.T) {
			sttest.Run(t, func(t *testing.T) sttest.Fixture {
				return sttest.Fixture{Engine: openFake(t, &loader{quick: true}, func(c *Config) { c.Speculate = speculate })}
			})
		})
	}
}

// The decode starts at the pause, and is done when the endpoint is decided.
func TestSpeculationHidesTheDecode(t *testing.T) {
	for name, c := range map[string]struct {
		speculate bool
		after     time.Duration
	}{"speculating": {true, 0}, "waiting": {false, 51 * fakeStep}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := openFake(t, &loader{}, func(cfg *Config) { cfg.Speculate, cfg.Partials = c.speculate, false })
				start := time.Now()
				got, _ := hear(t, e, paced(t.Context(), 1300*ms, pausesFrom(time.Second)))
				if after := time.Since(start) - 1300*ms; after != c.after || got.Text != "1020 ms" {
					t.Errorf("%q came %v after the end, want %v", got.Text, after, c.after)
				}
			})
		})
	}
}

func TestSpeakerGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := openFake(t, &loader{}, func(cfg *Config) { cfg.Partials = false })
		mark := func(at time.Duration) audio.Activity {
			if at >= 800*ms && at < 900*ms || at >= 1200*ms {
				return audio.Pause
			}
			return audio.Voice
		}
		got, _ := hear(t, e, paced(t.Context(), 1600*ms, mark))
		synctest.Wait()
		if s := e.Stats(); got.Text != "1220 ms" || s.Abandoned != 1 || s.Decoded != 1 || s.Busy != 0 {
			t.Errorf("%q after %+v; want the whole, and the first guess given up", got.Text, s)
		}
	})
}

func TestCancelDoesNotWaitForTheDecoder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := openFake(t, &loader{}, func(cfg *Config) { cfg.Partials = false })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1102*ms, cancel) // in the middle of a step
		start := time.Now()
		for tr, err := range e.Transcribe(ctx, sttest.Frames(pcm(20*time.Second))) {
			if err != context.Canceled {
				t.Errorf("%+v, %v; want the context's error", tr, err)
			}
		}
		if d := time.Since(start); d != 1102*ms {
			t.Errorf("ended at %v, want at once", d)
		}
		if s := e.Stats(); s.Busy != 1 {
			t.Errorf("%+v: the decoder is still at work", s)
		}
		time.Sleep(fakeStep)
		synctest.Wait()
		if s := e.Stats(); s.Busy != 0 || s.Abandoned != 1 {
			t.Errorf("%+v: the decoder is back after a step", s)
		}
	})
}

func TestDecodersAreLoadedWhenNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &loader{}
		p := newPool(l.open, Config{Decoders: 3, MaxWaiting: 9}.withDefaults(), discard())
		defer p.close()
		p.grow()
		time.Sleep(time.Second)
		for range 4 { // one after the other: one decoder is enough
			<-p.start(pcm(100 * ms)).done
			synctest.Wait()
		}
		if n := p.Stats().Decoders; n != 1 {
			t.Errorf("%d decoders for one caller at a time", n)
		}
		var tasks []*task
		for range 6 {
			tasks = append(tasks, p.start(pcm(20*time.Second)))
		}
		for _, task := range tasks {
			<-task.done
		}
		synctest.Wait()
		if s := p.Stats(); s.Decoders != 3 || s.Decoded != 10 || s.Waited != 5 || s.Busy != 0 {
			t.Errorf("%+v: want three decoders, and five that waited", s)
		}
	})
}

func TestQueueIsFairAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool((&loader{}).open, Config{Decoders: 1, MaxWaiting: 2}.withDefaults(), discard())
		defer p.close()
		p.grow()
		time.Sleep(time.Second)
		first, second, third, fourth := p.start(pcm(ms*1000)), p.start(pcm(ms*100)), p.start(pcm(ms*100)), p.start(pcm(ms*100))
		<-fourth.done
		if fault.KindOf(fourth.err) != fault.Overloaded || !fourth.refused() {
			t.Errorf("the third in the queue of two: %v", fourth.err)
		}
		start := time.Now()
		p.abandon(second)
		<-second.done
		<-first.done
		<-third.done
		if d := time.Since(start); d != 55*fakeStep || first.err != nil || third.err != nil || second.err != errStopped {
			t.Errorf("done after %v: %v, %v, %v", d, first.err, second.err, third.err)
		}
		synctest.Wait()
		if s := p.Stats(); s.Refused != 1 || s.Abandoned != 1 || s.Decoded != 2 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestARefusedGuessIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := openFake(t, &loader{}, func(c *Config) { c.Decoders, c.MaxWaiting, c.Partials = 1, 1, false })
		time.Sleep(time.Second)
		e.pool.start(pcm(1500 * ms))           // 300 ms of work
		blocker := e.pool.start(pcm(500 * ms)) // the queue is full
		got, _ := hear(t, e, paced(t.Context(), 400*ms, pausesFrom(200*ms)))
		<-blocker.done
		if s := e.Stats(); got.Text != "220 ms" || s.Refused != 1 {
			t.Errorf("%q, %+v", got.Text, s)
		}
	})
}

func TestModelThatDoesNotLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := openFake(t, &loader{failures: 1}, nil)
		for _, err := range e.Transcribe(t.Context(), sttest.Frames(pcm(time.Second))) {
			if err != errUtterlyBroken {
				t.Errorf("error %v, want the loader's", err)
			}
		}
		if got, _ := hear(t, e, sttest.Frames(pcm(time.Second))); got.Text != "1000 ms" {
			t.Errorf("the second attempt to load: %q", got.Text)
		}
	})
}

func TestCloseEndsEverythingAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool((&loader{}).open, Config{Decoders: 3, MaxWaiting: 9}.withDefaults(), discard())
		for range 3 {
			p.grow()
			time.Sleep(time.Second)
		}
		l := p.lend()
		synctest.Wait()
		l.feed(pcm(10 * time.Second))
		tasks := []*task{p.start(pcm(10 * time.Second)), p.start(pcm(10 * time.Second)), p.start(pcm(10 * time.Second)), p.start(pcm(10 * time.Second))}
		time.Sleep(ms)
		start := time.Now()
		p.close()
		if d := time.Since(start); d > fakeStep {
			t.Errorf("close took %v", d)
		}
		for _, task := range append(tasks, p.start(pcm(ms))) {
			<-task.done
			if task.err != errClosed {
				t.Errorf("a decode ended with %v", task.err)
			}
		}
		if _, alive := l.poll(); alive || l.feed(pcm(ms)) || p.lend() != nil {
			t.Error("a lease outlived the pool")
		}
		if s := p.Stats(); s.Decoders != 0 {
			t.Errorf("%+v after close", s)
		}
	})
}

func TestPreviews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := openFake(t, &loader{}, nil)
		time.Sleep(time.Second)
		// The first utterance asks for a second decoder, and has its previews
		// as soon as that is loaded.
		got, partials := hear(t, e, paced(t.Context(), 3*time.Second, pausesFrom(2500*ms)))
		if len(partials) < 3 || !strings.HasSuffix(partials[0], "so far") || got.Text != "2520 ms" {
			t.Errorf("%q and then %q", partials, got.Text)
		}
		if !slices.Contains(partials, "1520 ms so far") && len(partials) > 8 {
			t.Errorf("previews %q", partials)
		}
		synctest.Wait()
		if s := e.Stats(); s.Decoders != 2 || s.Busy != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestPreviewNeedsADecoderToSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := openFake(t, &loader{}, func(c *Config) { c.Decoders = 1 })
		time.Sleep(time.Second)
		if _, partials := hear(t, e, paced(t.Context(), 3*time.Second, nil)); len(partials) != 0 {
			t.Errorf("previews %q on the only decoder", partials)
		}
	})
}

// Two finals at once: the second takes the decoder of the preview, which has at
// most one step left.
func TestFinalsTakeDecodersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool((&loader{}).open, Config{Decoders: 2, MaxWaiting: 9}.withDefaults(), discard())
		defer p.close()
		for range 2 {
			p.grow()
			time.Sleep(time.Second)
		}
		l := p.lend()
		synctest.Wait()
		l.feed(pcm(20 * time.Second))
		time.Sleep(ms)
		start := time.Now()
		a, b := p.start(pcm(20*ms)), p.start(pcm(20*ms))
		<-a.done
		if d := time.Since(start); d != fakeStep {
			t.Errorf("the first final took %v", d)
		}
		<-b.done
		if d := time.Since(start); d > 2*fakeStep {
			t.Errorf("the second final took %v", d)
		}
		if _, alive := l.poll(); alive {
			t.Error("the preview goes on")
		}
		l.close()
		synctest.Wait()
		if s := p.Stats(); s.Revoked != 1 || s.Busy != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Whatever callers do, in whatever order: every decode ends, and every decoder
// comes back.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ops := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 60).Draw(r, "ops")
		lengths := rapid.SliceOfN(rapid.IntRange(1, 2000), len(ops), len(ops)).Draw(r, "lengths")
		decoders := rapid.IntRange(1, 3).Draw(r, "decoders")
		synctest.Test(t, func(t *testing.T) {
			p := newPool((&loader{}).open, Config{Decoders: decoders, MaxWaiting: 3}.withDefaults(), discard())
			var tasks []*task
			var leases []*lease
			for i, op := range ops {
				d := time.Duration(lengths[i]) * ms
				switch op {
				case 0, 1:
					tasks = append(tasks, p.start(pcm(d)))
				case 2:
					if len(tasks) > 0 {
						p.abandon(tasks[lengths[i]%len(tasks)])
					}
				case 3:
					if l := p.lend(); l != nil {
						leases = append(leases, l)
					}
				case 4:
					if len(leases) > 0 {
						leases[lengths[i]%len(leases)].feed(pcm(d))
					}
				case 5:
					if len(leases) > 0 {
						leases[lengths[i]%len(leases)].close()
					}
				case 6:
					time.Sleep(d / 4)
				}
			}
			for _, task := range tasks {
				<-task.done
			}
			for _, l := range leases {
				l.close()
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if s := p.Stats(); s.Busy != 0 || s.Waiting != 0 || s.Decoders > decoders {
				t.Errorf("%+v at rest", s)
			}
			p.close()
		})
	})
}
