package pocketsphinx

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/audio"
	"parley/internal/fault"
	"parley/stt"
)

// decoder turns sound into words. It serves one goroutine at a time. decode and
// begin forget whatever came before.
type decoder interface {
	// decode understands pcm (16 kHz mono) as one whole utterance. It returns
	// errStopped soon after stop is set.
	decode(pcm []int16, stop *atomic.Bool) (stt.Transcript, error)
	// begin starts a live utterance, and hear continues it: it returns the words
	// so far.
	begin() error
	hear(pcm []int16, stop *atomic.Bool) (string, error)
	close()
}

var (
	errStopped = errors.New("stt/pocketsphinx: stopped")
	errClosed  = fault.New(fault.Failed, "stt/pocketsphinx: decode", errors.New("the engine is closed"))
	errBusy    = fault.New(fault.Overloaded, "stt/pocketsphinx: decode", errors.New("too many utterances wait for a decoder"))
)

// Stats is the state of the pool, and what it has counted since the start.
type Stats struct {
	Decoders  int    // loaded
	Busy      int    // decoding, or lent for partials
	Waiting   int    // utterances that wait for a decoder
	Decoded   uint64 // utterances decoded to the end
	Abandoned uint64 // decodes given up: the speaker went on, or nobody wanted the result
	Waited    uint64 // utterances that found no decoder free
	Refused   uint64 // utterances refused because too many waited
	Revoked   uint64 // previews cut short because a final needed the decoder
}

// pool owns the decoders and every goroutine that uses one. Finals come first:
// they queue, first in first out, and take back decoders lent for previews.
type pool struct {
	open       func() (decoder, error)
	max        int // decoders
	maxWaiting int
	log        *slog.Logger
	work       sync.WaitGroup

	mu      sync.Mutex
	idle    []decoder
	leases  []*lease
	queue   []*task
	running map[*atomic.Bool]struct{} // stop flags of everything under way
	loaded  int
	opening int
	closed  bool
	stats   Stats
}

// task is one decode. done is closed when the result stands.
type task struct {
	pcm    []int16
	stop   atomic.Bool
	done   chan struct{}
	result stt.Transcript
	err    error
}

func newPool(open func() (decoder, error), cfg Config, log *slog.Logger) *pool {
	return &pool{
		open: open, max: cfg.Decoders, maxWaiting: cfg.MaxWaiting, log: log,
		running: map[*atomic.Bool]struct{}{},
	}
}

// start begins to decode pcm, which must not change any more, or queues it.
// It does not block.
func (p *pool) start(pcm []int16) *task {
	t := &task{pcm: pcm, done: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := len(p.idle); {
	case p.closed:
		t.finish(stt.Transcript{}, errClosed)
	case n > 0:
		d := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.runLocked(d, t)
	case len(p.queue) >= p.maxWaiting:
		p.stats.Refused++
		t.finish(stt.Transcript{}, errBusy)
	default:
		p.stats.Waited++
		p.queue = append(p.queue, t)
		if !p.revokeLocked() {
			p.growLocked()
		}
	}
	return t
}

// abandon gives a decode up. Its decoder comes back by itself.
func (p *pool) abandon(t *task) {
	t.stop.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-t.done: // too late to save anything
	default:
		p.stats.Abandoned++
	}
	for i, q := range p.queue {
		if q == t {
			p.queue = append(p.queue[:i:i], p.queue[i+1:]...)
			t.finish(stt.Transcript{}, errStopped)
			return
		}
	}
}

func (t *task) finish(tr stt.Transcript, err error) {
	t.result, t.err = tr, err
	close(t.done)
}

// refused reports whether t was turned away because too many waited.
func (t *task) refused() bool {
	select {
	case <-t.done:
		return t.err == errBusy
	default:
		return false
	}
}

// runLocked lets d serve t and then whoever waits.
func (p *pool) runLocked(d decoder, t *task) {
	p.running[&t.stop] = struct{}{}
	p.work.Go(func() {
		for t != nil {
			start := time.Now()
			tr, err := d.decode(t.pcm, &t.stop)
			p.log.Debug("decoded", "audio", audio.SamplesToDuration(len(t.pcm), audio.SpeechRate), "took", time.Since(start), "stopped", err == errStopped)
			t = p.next(d, t, tr, err)
		}
	})
}

// next ends t and returns the next task for d, or nil once d is idle again.
func (p *pool) next(d decoder, t *task, tr stt.Transcript, err error) *task {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, &t.stop)
	if err == nil {
		p.stats.Decoded++
	}
	if err == errStopped && p.closed {
		err = errClosed
	}
	t.finish(tr, err)
	if next := p.popLocked(); next != nil {
		p.running[&next.stop] = struct{}{}
		return next
	}
	p.idle = append(p.idle, d)
	return nil
}

func (p *pool) popLocked() *task {
	if p.closed || len(p.queue) == 0 {
		return nil
	}
	t := p.queue[0]
	p.queue = append(p.queue[:0:0], p.queue[1:]...)
	return t
}

// releaseLocked gives d to whoever waits.
func (p *pool) releaseLocked(d decoder) {
	if t := p.popLocked(); t != nil {
		p.runLocked(d, t)
		return
	}
	p.idle = append(p.idle, d)
}

// grow loads another decoder in the background, where one more is allowed.
func (p *pool) grow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.growLocked()
}

func (p *pool) growLocked() {
	if p.closed || p.opening > 0 || p.loaded >= p.max {
		return
	}
	p.opening++
	p.work.Go(func() {
		d, err := p.open()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.opening--
		if err != nil {
			p.log.Error("cannot load a decoder", "error", err)
			p.failLocked(err)
			return
		}
		p.loaded++
		p.releaseLocked(d)
		if len(p.queue) > 0 {
			p.growLocked()
		}
	})
}

// failLocked ends those who wait for a decoder that will not come.
func (p *pool) failLocked(err error) {
	if p.loaded > 0 {
		return
	}
	for _, t := range p.queue {
		t.finish(stt.Transcript{}, err)
	}
	p.queue = nil
}

// Stats returns the present state.
func (p *pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Decoders, s.Busy, s.Waiting = p.loaded, p.loaded-len(p.idle), len(p.queue)
	return s
}

// close stops everything, waits for it and frees the decoders.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for stop := range p.running {
		stop.Store(true)
	}
	for _, t := range p.queue {
		t.finish(stt.Transcript{}, errClosed)
	}
	p.queue = nil
	for len(p.leases) > 0 {
		p.leases[0].dropLocked()
	}
	p.mu.Unlock()
	p.work.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.idle {
		d.close()
	}
	p.loaded -= len(p.idle)
	p.idle = nil
}
