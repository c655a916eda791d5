package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"parley/audio"
	"parley/internal/timeline"
	"parley/loadtest"
)

const (
	pauseBetween = 300 * time.Millisecond // an answer's end to the next question
	cutAfter     = 500 * time.Millisecond // of an answer, until it is interrupted
)

// bench measures and keeps what it found.
type bench struct {
	plan   plan
	dir    string // temporary
	clip   *loadtest.Clip
	result result
}

func newBench(p plan) (*bench, error) {
	clip, err := question(p.clip, phaseAgreed)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(p.parley); err != nil {
		return nil, fmt.Errorf("there is no %s: run make build first", p.parley)
	}
	dir, err := os.MkdirTemp("", "voicebench")
	if err != nil {
		return nil, err
	}
	return &bench{plan: p, dir: dir, clip: clip, result: newResult(p)}, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.dir) }

// phaseAgreed is how far into a packet the question's speech ends. The encoder's
// 6.5 ms then stay within that packet, so that every detector and this program
// agree on which packet is the last with speech.
const phaseAgreed = 10 * time.Millisecond

// question is the recording from its first loud frame on, cut off at once about
// 0.8 s later: phase into a packet, at a place that is loud to its very end.
func question(path string, phase time.Duration) (*loadtest.Clip, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pcm, rate, err := audio.ReadWAV(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	frame, rest := rate/50, audio.DurationToSamples(phase, rate)
	loud := func(i, n int, level float64) bool {
		return i >= 0 && i+n <= len(pcm) && audio.DBFS(audio.RMS(pcm[i:i+n])) > level
	}
	from := 0
	for from+frame <= len(pcm) && !loud(from, frame, -35) {
		from += frame
	}
	for end := from + 40*frame; end > from+10*frame; end -= frame {
		if !loud(end-frame, frame, -25) || !loud(end, frame, -25) {
			continue
		}
		clip, err := loadtest.NewClip("question", pcm[from:end+rest], rate)
		if err != nil || phase != phaseAgreed {
			return clip, err
		}
		if clear, err := endsClearly(clip); clear || err != nil {
			return clip, err
		}
	}
	return nil, fmt.Errorf("%s: found no place to cut it off", path)
}

// endsClearly says whether the packet after the last with speech is silent, by
// a margin, to the echo's detector.
func endsClearly(clip *loadtest.Clip) (bool, error) {
	levels, err := clip.Levels()
	if err != nil {
		return false, err
	}
	_, to := clip.Speech()
	last := int(to / audio.FrameDuration)
	return levels[last-1] > echoLoud+5 && levels[last] < echoLoud-5, nil
}

// measure runs the whole plan.
func (b *bench) measure(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"readiness", b.readiness},
		{"latency of the echo", b.echoLatency},
		{"latency of parley", b.parleyLatency},
		{"other ends of speech", b.phases},
		{"interruption", b.interruption},
		{"CPU and memory of the echo", b.echoLoad},
		{"CPU and memory of parley", b.parleyLoad},
		{"CPU of parley without the network detector", b.energyLoad},
	} {
		fmt.Fprintf(os.Stderr, "measuring %s\n", step.name)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	b.result.loadAfter = loadAverage()
	return nil
}

func (b *bench) server(ctx context.Context, vad string, reply ...string) (*child, error) {
	return startParley(ctx, b.plan.parley, b.dir, serverConfig{vad: vad, reply: reply})
}

func (b *bench) readiness(ctx context.Context) error {
	for range b.plan.starts {
		c, err := b.server(ctx, "silero", shortReply)
		if err != nil {
			return err
		}
		b.result.ready = append(b.result.ready, milliseconds(c.ready))
		c.stop()
	}
	return nil
}

// options reach a server: parley by its socket, the echo by a posted offer.
func options(c *child, echo bool) loadtest.Options {
	o := loadtest.Options{URL: c.url, AnswerTimeout: 5 * time.Second}
	if echo {
		o.Connect, o.NoEvents = loadtest.HTTPOffer, true
	}
	return o
}

func (b *bench) echoLatency(ctx context.Context) error {
	c, err := startEcho(ctx)
	if err != nil {
		return err
	}
	defer c.stop()
	turns, err := b.turns(ctx, options(c, true), b.clip, b.plan.turns)
	for _, t := range turns {
		b.result.echoWait = append(b.result.echoWait, milliseconds(t.Latency))
	}
	return err
}

func (b *bench) parleyLatency(ctx context.Context) error {
	c, err := b.server(ctx, "silero", shortReply)
	if err != nil {
		return err
	}
	defer c.stop()
	turns, err := b.turns(ctx, options(c, false), b.clip, b.plan.turns)
	for _, t := range turns {
		b.result.parleyWait = append(b.result.parleyWait, milliseconds(t.Latency))
		if ended, ok := t.Timeline.At(timeline.SpeechEnded); ok {
			b.result.apart = append(b.result.apart, milliseconds(ended.Sub(t.Spoke)))
		}
		if share, ok := frameworkShare(t.Timeline); ok {
			b.result.framework = append(b.result.framework, milliseconds(share))
		}
	}
	return err
}

// frameworkShare is the server's part of the wait outside endpointing. With
// models that take no time, all of it is parley's own.
func frameworkShare(t timeline.Timeline) (time.Duration, bool) {
	response, ok := t.ResponseTime()
	for _, s := range t.Stages() {
		if s.Name == "endpointing" {
			return response - s.Duration, ok
		}
	}
	return 0, false
}

// phases asks with speech that ends at other places within a packet. There the
// encoder's delay may carry its end into the next packet, and detectors differ
// by a packet in what they take for the last: the wait is then about that, not
// about speed.
func (b *bench) phases(ctx context.Context) error {
	if b.plan.phases == 0 {
		return nil
	}
	floor, err := startEcho(ctx)
	if err != nil {
		return err
	}
	defer floor.stop()
	own, err := b.server(ctx, "silero", shortReply)
	if err != nil {
		return err
	}
	defer own.stop()
	for _, at := range []time.Duration{0, 5 * time.Millisecond, 15 * time.Millisecond} {
		clip, err := question(b.plan.clip, at)
		if err != nil {
			return err
		}
		echo, err := b.turns(ctx, options(floor, true), clip, b.plan.phases)
		if err != nil {
			return err
		}
		parley, err := b.turns(ctx, options(own, false), clip, b.plan.phases)
		if err != nil {
			return err
		}
		b.result.phases = append(b.result.phases, phase{at, waits(echo), waits(parley)})
	}
	return nil
}

func waits(turns []loadtest.Turn) []float64 {
	var ms []float64
	for _, t := range turns {
		ms = append(ms, milliseconds(t.Latency))
	}
	return ms
}

// turns makes one call and asks n times, after once that warms everything up
// and is not counted.
func (b *bench) turns(ctx context.Context, o loadtest.Options, clip *loadtest.Clip, n int) ([]loadtest.Turn, error) {
	caller, err := dial(ctx, o)
	if err != nil {
		return nil, err
	}
	defer caller.Hangup()
	var turns []loadtest.Turn
	for i := range n + 1 {
		if err := sleep(ctx, pauseBetween); err != nil {
			return nil, err
		}
		t, err := caller.Say(ctx, clip)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			turns = append(turns, t)
		}
	}
	return turns, nil
}

func (b *bench) interruption(ctx context.Context) error {
	c, err := b.server(ctx, "silero", longReply, shortReply)
	if err != nil {
		return err
	}
	defer c.stop()
	for range b.plan.cuts {
		if err := b.interrupt(ctx, options(c, false)); err != nil {
			return err
		}
	}
	return nil
}

// interrupt is one call with one interruption.
func (b *bench) interrupt(ctx context.Context, o loadtest.Options) error {
	caller, err := dial(ctx, o)
	if err != nil {
		return err
	}
	defer caller.Hangup()
	if err := sleep(ctx, pauseBetween); err != nil {
		return err
	}
	i, err := caller.SayAndInterrupt(ctx, b.clip, b.clip, cutAfter)
	if err != nil {
		return err
	}
	b.result.cuts++
	if i.Stopped && i.Decided {
		b.result.decision = append(b.result.decision, milliseconds(i.DecisionToSilence))
		b.result.onset = append(b.result.onset, milliseconds(i.OnsetToSilence))
	}
	return nil
}

func dial(ctx context.Context, o loadtest.Options) (*loadtest.Caller, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return loadtest.Dial(ctx, o)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
