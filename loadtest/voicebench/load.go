package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"parley/loadtest"
)

// slices of the window are read one by one, so that a figure has a spread.
const slices = 3

// load is what a server used with a number of calls at once.
type load struct {
	calls  int
	cpu    []float64 // CPU seconds per call-minute, in each slice of the window
	rssKiB int       // while they talked
	waits  []float64
	missed int // turns without an answer
}

func (b *bench) echoLoad(ctx context.Context) error {
	c, err := startEcho(ctx)
	if err != nil {
		return err
	}
	defer c.stop()
	b.result.echoLoad, b.result.echoIdle, err = b.loads(ctx, c, options(c, true), b.plan.calls)
	return err
}

func (b *bench) parleyLoad(ctx context.Context) error {
	c, err := b.server(ctx, "silero", shortReply)
	if err != nil {
		return err
	}
	defer c.stop()
	b.result.parleyLoad, b.result.parleyIdle, err = b.loads(ctx, c, options(c, false), b.plan.calls)
	return err
}

// energyLoad is the same with the detector that costs next to nothing: what is
// saved is the network's share.
func (b *bench) energyLoad(ctx context.Context) error {
	c, err := b.server(ctx, "energy", shortReply)
	if err != nil {
		return err
	}
	defer c.stop()
	b.result.energyLoad, _, err = b.loads(ctx, c, options(c, false), b.plan.calls[1:])
	return err
}

// loads measures each number of calls in turn, and the memory that is left
// a moment after the last has hung up.
func (b *bench) loads(ctx context.Context, c *child, o loadtest.Options, counts []int) ([]load, int, error) {
	var loads []load
	for _, n := range counts {
		l, err := b.load(ctx, c, o, n)
		if err != nil {
			return nil, 0, err
		}
		loads = append(loads, l)
	}
	if err := sleep(ctx, b.plan.giveBack); err != nil {
		return nil, 0, err
	}
	idle, err := residentKiB(c.pid)
	return loads, idle, err
}

// load holds n calls, each of which asks its question again and again, and
// reads the server's counters over the plan's window.
func (b *bench) load(ctx context.Context, c *child, o loadtest.Options, n int) (load, error) {
	l := load{calls: n}
	callers, err := dialAll(ctx, o, n)
	defer hangupAll(callers)
	if err != nil {
		return l, err
	}
	talking, stop := context.WithCancel(ctx)
	defer stop()
	var talkers sync.WaitGroup
	defer talkers.Wait()
	defer stop()
	var mu sync.Mutex
	for i, caller := range callers {
		offset := time.Duration(i) * b.plan.settle / time.Duration(n)
		talkers.Go(func() {
			b.keepAsking(talking, caller, offset, func(t loadtest.Turn, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					l.missed++
					return
				}
				l.waits = append(l.waits, milliseconds(t.Latency))
			})
		})
	}
	if err := sleep(ctx, b.plan.settle); err != nil { // until all have begun
		return l, err
	}
	for range slices {
		cpu, rss, err := b.slice(ctx, c)
		if err != nil {
			return l, err
		}
		l.cpu, l.rssKiB = append(l.cpu, cpu/float64(n)), rss
	}
	stop()
	talkers.Wait()
	return l, nil
}

// slice reads CPU seconds per minute over a slice of the window, and memory at
// its end.
func (b *bench) slice(ctx context.Context, c *child) (cpu float64, rssKiB int, err error) {
	before, err := cpuTime(c.pid)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := sleep(ctx, b.plan.window/slices); err != nil {
		return 0, 0, err
	}
	after, err := cpuTime(c.pid)
	if err != nil {
		return 0, 0, err
	}
	rssKiB, err = residentKiB(c.pid)
	return (after - before).Seconds() / time.Since(began).Minutes(), rssKiB, err
}

// keepAsking goes on until ctx ends; a turn cut short by that is not told.
func (b *bench) keepAsking(ctx context.Context, caller *loadtest.Caller, offset time.Duration, tell func(loadtest.Turn, error)) {
	for wait := offset; sleep(ctx, wait) == nil; wait = pauseBetween {
		t, err := caller.Say(ctx, b.clip)
		if ctx.Err() != nil || loadtest.ClassOf(err) == loadtest.CallLost {
			return
		}
		tell(t, err)
	}
}

// dialAll makes n calls, a few at a time.
func dialAll(ctx context.Context, o loadtest.Options, n int) ([]*loadtest.Caller, error) {
	const atOnce = 4
	var (
		mu      sync.Mutex
		callers []*loadtest.Caller
		errs    []error
		all     sync.WaitGroup
		slots   = make(chan struct{}, atOnce)
	)
	for range n {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			caller, err := dial(ctx, o)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			callers = append(callers, caller)
		})
	}
	all.Wait()
	return callers, errors.Join(errs...)
}

func hangupAll(callers []*loadtest.Caller) {
	var all sync.WaitGroup
	for _, c := range callers {
		all.Go(c.Hangup)
	}
	all.Wait()
}
