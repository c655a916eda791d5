package pocketsphinx

import "sync/atomic"

// lease is a decoder lent for the preview of one utterance. The pool takes it
// back when a final needs it. Its methods are called by one goroutine.
type lease struct {
	p    *pool
	d    decoder
	stop atomic.Bool

	// Guarded by p.mu:
	busy bool // hear is under way
	lost bool // over: closed, revoked or failed
	text string
}

// lend returns a lease, or nil when no decoder can be spared: one more must be
// idle, so that a preview never delays a final. Where one more may be loaded
// that happens, for the next time.
func (p *pool) lend() *lease {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if p.closed || n < 2 {
		p.growLocked()
		return nil
	}
	l := &lease{p: p, d: p.idle[n-1]}
	p.idle = p.idle[:n-1]
	p.leases = append(p.leases, l)
	l.runLocked(func() (string, error) { return "", l.d.begin() })
	return l
}

// feed continues the utterance with pcm, which must not change any more. It
// returns false while earlier sound is being worked on, and when the lease is
// over (see alive).
func (l *lease) feed(pcm []int16) bool {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if l.busy || l.lost {
		return false
	}
	l.runLocked(func() (string, error) { return l.d.hear(pcm, &l.stop) })
	return true
}

// poll returns the words so far, and whether the lease still stands.
func (l *lease) poll() (text string, alive bool) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	return l.text, !l.lost
}

// close gives the decoder back. It may be called again.
func (l *lease) close() {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.dropLocked()
}

func (l *lease) runLocked(work func() (string, error)) {
	l.busy = true
	l.p.work.Go(func() {
		text, err := work()
		l.p.mu.Lock()
		defer l.p.mu.Unlock()
		l.busy = false
		switch {
		case l.lost: // dropped meanwhile, by someone who left the decoder to us
			l.p.releaseLocked(l.d)
		case err != nil:
			l.p.log.Warn("preview failed", "error", err)
			l.dropLocked()
		default:
			l.text = text
		}
	})
}

// dropLocked ends the lease; its decoder is free at once, or as soon as the
// work under way has stopped.
func (l *lease) dropLocked() {
	if l.lost {
		return
	}
	l.lost = true
	l.stop.Store(true)
	for i, other := range l.p.leases {
		if other == l {
			l.p.leases = append(l.p.leases[:i:i], l.p.leases[i+1:]...)
			break
		}
	}
	if !l.busy {
		l.p.releaseLocked(l.d)
	}
}

// revokeLocked takes a decoder back from the preview that has it the longest.
func (p *pool) revokeLocked() bool {
	if len(p.leases) == 0 {
		return false
	}
	p.stats.Revoked++
	p.leases[0].dropLocked()
	return true
}
