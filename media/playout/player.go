package playout

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// Sink takes the packets. SSRC and payload type are its own to set. Header and
// payload are lent until WriteRTP returns.
type Sink interface {
	WriteRTP(*rtp.Packet) error
}

// Player plays Tracks to one caller, one at a time.
type Player struct {
	sink Sink
	kick chan struct{} // holds one: something changed
	done chan struct{}
	wg   sync.WaitGroup

	mu     sync.Mutex
	core   core
	closed bool
}

// New returns a Player that writes to sink. Close it.
func New(sink Sink) *Player {
	p := &Player{sink: sink, kick: make(chan struct{}, 1), done: make(chan struct{})}
	p.core.seq, p.core.ts = uint16(rand.Uint32()), rand.Uint32() // RFC 3550 §5.1
	p.wg.Go(p.run)
	return p
}

// Start begins a track; one that is still active is stopped first. onFirst, if
// not nil, is called once from the Player's goroutine with the time at which
// the first packet left, and never after Stop returned. It must not block and
// must not call Stop or Close.
func (p *Player) Start(onFirst func(at time.Time)) *Track {
	t := &Track{
		player: p, onFirst: onFirst,
		space: make(chan struct{}, 1), stopped: make(chan struct{}), finished: make(chan struct{}),
	}
	for {
		p.mu.Lock()
		old := p.core.cur
		if old == nil {
			break
		}
		p.mu.Unlock()
		old.Stop()
	}
	defer p.mu.Unlock()
	if p.closed {
		t.halted = true
		close(t.stopped)
		return t
	}
	p.core.cur = t
	return t
}

// Report tells what an RTCP receiver report gave: the round-trip time, and the
// share, 0..1, of packets lost since the one before. Where packets get lost,
// those that follow carry in-band FEC.
func (p *Player) Report(rtt time.Duration, lost float64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.core.delay, p.core.reported = max(rtt, 0)/2+JitterBufferGuess, true
	if err := p.core.hearOfLoss(lost); err != nil {
		return fmt.Errorf("playout: report: %w", err)
	}
	return nil
}

// Stats returns the counters so far.
func (p *Player) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.core.stats
}

// Close stops the active track and waits for the Player's goroutine. It is
// idempotent.
func (p *Player) Close() {
	p.mu.Lock()
	cur := p.core.cur
	if !p.closed {
		p.closed = true
		close(p.done)
	}
	p.mu.Unlock()
	if cur != nil {
		cur.Stop()
	}
	p.wg.Wait()
}

// run sends what is due and sleeps until something is.
func (p *Player) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wake, sent := p.sendDue()
		if sent {
			continue
		}
		var due <-chan time.Time
		if !wake.IsZero() {
			timer.Reset(time.Until(wake))
			due = timer.C
		}
		select {
		case <-due:
		case <-p.kick:
		case <-p.done:
			return
		}
		timer.Stop()
	}
}

// sendDue sends the packet that is due, if any, else says when the next one is.
// The packet is written outside the lock, so that Stop never waits for a slow
// network.
func (p *Player) sendDue() (wake time.Time, sent bool) {
	p.mu.Lock()
	t := p.core.cur
	if !p.core.tick(time.Now()) {
		wake = p.core.wake()
		p.mu.Unlock()
		return wake, false
	}
	first := t.first
	t.first = true
	last := t.draining && len(p.core.pcm) == 0
	signal(t.space)
	p.mu.Unlock()

	var err error
	if len(p.core.packet.Payload) > 0 { // only this goroutine ticks, so the packet stays
		err = p.sink.WriteRTP(&p.core.packet)
	}
	if !first {
		t.announce(time.Now())
	}
	if err != nil || last {
		p.settle(t, err, last)
	}
	return time.Time{}, true
}

// settle counts a failed write and ends a track whose last packet has left.
func (p *Player) settle(t *Track, err error, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.core.stats.Failed++
	}
	if last && p.core.cur == t {
		p.core.finish()
		close(t.finished)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
