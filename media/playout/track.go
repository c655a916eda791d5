package playout

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Track is one reply on its way out.
type Track struct {
	player  *Player
	onFirst func(at time.Time)
	firstMu sync.Mutex // held while onFirst runs, so that Stop can wait for it

	space    chan struct{} // holds one: a frame has left, there is room
	stopped  chan struct{} // closed by Stop
	finished chan struct{} // closed when everything was sent after Drain

	// Guarded by the Player's mutex.
	rate     int
	draining bool
	halted   bool // Stop was called
	first    bool // the first packet was made
	final    Played
	sent     record
}

// Write queues mono PCM at one of Opus's rates (8, 12, 16, 24 or 48 kHz), the
// same for the whole track, and returns when all of it is queued; it blocks
// while more than Buffer waits. After an error nothing of pcm that was not yet
// sent will be.
func (t *Track) Write(ctx context.Context, pcm []int16, rate int) error {
	queued := 0
	for {
		n, err := t.queue(ctx, pcm[queued:], rate)
		if err != nil {
			t.takeBack(queued)
			return err
		}
		if queued += n; queued == len(pcm) {
			return nil
		}
		select {
		case <-t.space:
		case <-t.stopped:
		case <-ctx.Done():
		}
	}
}

// queue puts as much of pcm as fits into the buffer.
func (t *Track) queue(ctx context.Context, pcm []int16, rate int) (int, error) {
	p := t.player
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case t.halted:
		return 0, ErrStopped
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case t.draining:
		return 0, ErrDrained
	case t.rate == 0:
		if err := p.core.setRate(rate); err != nil {
			return 0, err
		}
		t.rate = rate
	case t.rate != rate:
		return 0, fmt.Errorf("playout: write: %d Hz after %d Hz", rate, t.rate)
	}
	n := p.core.queue(pcm, time.Now())
	signal(p.kick)
	return n, nil
}

// takeBack removes what is still queued of a Write that failed after n samples.
func (t *Track) takeBack(n int) {
	t.player.mu.Lock()
	defer t.player.mu.Unlock()
	if !t.halted && !t.draining && t.player.core.cur == t {
		t.player.core.unqueue(n)
	}
}

// Drain tells that nothing more comes and waits until all of it was sent. A
// last, partial frame is padded with silence.
func (t *Track) Drain(ctx context.Context) error {
	p := t.player
	p.mu.Lock()
	if !t.halted && !t.draining {
		p.core.drain(time.Now())
		if len(p.core.pcm) == 0 {
			p.core.finish()
			close(t.finished)
		}
		signal(p.kick)
	}
	p.mu.Unlock()
	select {
	case <-t.finished:
		return nil
	case <-t.stopped:
		return ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stop throws away what was not sent: at most the packet being written still
// leaves. It is idempotent and returns what was played up to the first call.
func (t *Track) Stop() Played {
	p := t.player
	p.mu.Lock()
	if !t.halted {
		t.halted = true
		t.final = p.core.position(&t.sent, time.Now())
		if p.core.cur == t {
			p.core.finish()
		}
		close(t.stopped)
	}
	final := t.final
	p.mu.Unlock()
	t.firstMu.Lock() // an onFirst that has begun ends before Stop does
	defer t.firstMu.Unlock()
	return final
}

// Played says how far the track has come; after Stop, how far it had come then.
func (t *Track) Played() Played {
	t.player.mu.Lock()
	defer t.player.mu.Unlock()
	if t.halted {
		return t.final
	}
	return t.player.core.position(&t.sent, time.Now())
}

// announce calls onFirst unless the track was stopped.
func (t *Track) announce(at time.Time) {
	t.firstMu.Lock()
	defer t.firstMu.Unlock()
	select {
	case <-t.stopped:
	default:
		if t.onFirst != nil {
			t.onFirst(at)
		}
	}
}
