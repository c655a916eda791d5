// Package recorder writes what happens in calls to a store, off the path of
// every turn.
//
// May import: conversation, store and the standard library.
// Concurrency: Consume may be called from any goroutine and never blocks; one
// goroutine writes, in order. The queue is bounded; when it is full the oldest
// entry goes, and is counted.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"parley/conversation"
	"parley/store"
)

// Limits of a Recorder.
const (
	queueLength = 4096                   // calls and turns that may wait while the store is down: a few MB
	firstRetry  = 100 * time.Millisecond // then twice as long each time
	lastRetry   = 5 * time.Second
	writeTime   = 10 * time.Second // for one write
)

// Recorder keeps calls and turns.
type Recorder struct {
	db  store.Store
	log *slog.Logger

	mu      sync.Mutex
	queue   []func(context.Context) error
	calls   map[string]call // those that are up
	dropped uint64
	closed  bool

	news   chan struct{} // holds a token when the writer has something to do
	cancel context.CancelFunc
	done   chan struct{}
}

// call is one that is up, with its last turn that ended, for marks that come late.
type call struct {
	store.Call
	last store.Turn
}

// New returns a Recorder that writes to db; Close it before db. log may be nil.
func New(db store.Store, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Recorder{
		db: db, log: log, calls: map[string]call{},
		news: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}),
	}
	go r.write(ctx)
	return r
}

// Consume takes the next event of any call.
func (r *Recorder) Consume(e conversation.Envelope) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch ev := e.Event.(type) {
	case conversation.CallStarted:
		c := call{Call: store.Call{ID: e.Call, StartedAt: e.At, Client: ev.Client}}
		r.calls[e.Call] = c
		r.saveCall(c.Call)
	case conversation.CallEnded:
		if c, ok := r.calls[e.Call]; ok {
			delete(r.calls, e.Call)
			c.EndedAt, c.Cause = e.At, ev.Cause
			r.saveCall(c.Call)
		}
	case conversation.TurnEnded:
		r.saveTurn(store.Turn{
			CallID: e.Call, Number: ev.Turn, StartedAt: ev.Started, EndedAt: e.At, Input: ev.Input,
			User: ev.User, Reply: ev.Heard, Status: string(ev.Status), Reason: ev.Reason, Timeline: ev.Timeline,
		})
	case conversation.TimelineChanged:
		if t := r.calls[e.Call].last; t.Number == ev.Turn && t.Timeline != ev.Timeline {
			t.Timeline = ev.Timeline
			r.saveTurn(t)
		}
	}
}

func (r *Recorder) saveCall(c store.Call) {
	r.put(func(ctx context.Context) error { return r.db.SaveCall(ctx, c) })
}

func (r *Recorder) saveTurn(t store.Turn) {
	if c, ok := r.calls[t.CallID]; ok {
		c.last = t
		r.calls[t.CallID] = c
	}
	r.put(func(ctx context.Context) error { return r.db.SaveTurn(ctx, t) })
}

// put queues a write. The caller holds mu.
func (r *Recorder) put(write func(context.Context) error) {
	if r.closed {
		r.dropped++
		return
	}
	if len(r.queue) >= queueLength {
		if r.dropped%queueLength == 0 {
			r.log.Error("the store is behind; the oldest entries are being dropped", "queue", queueLength)
		}
		r.dropped++
		r.queue = r.queue[1:]
	}
	r.queue = append(r.queue, write)
	r.wake()
}

func (r *Recorder) wake() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// Dropped counts what was never written.
func (r *Recorder) Dropped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

// Close writes what waits, for as long as ctx allows, and ends the writer. The
// error tells how much was lost.
func (r *Recorder) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.wake()
	select {
	case <-r.done:
	case <-ctx.Done():
	}
	r.cancel()
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.queue); n > 0 {
		return fmt.Errorf("store/recorder: close: %d entries were not written: %w", n, context.Cause(ctx))
	}
	return nil
}

// write writes until the Recorder is closed and empty, or ctx is done.
func (r *Recorder) write(ctx context.Context) {
	defer close(r.done)
	wait := time.Duration(0)
	for {
		next, closed := r.head()
		if next == nil {
			if closed {
				return
			}
			select {
			case <-r.news:
			case <-ctx.Done():
				return
			}
			continue
		}
		if wait = r.try(ctx, next, wait); wait == 0 {
			continue
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// head takes the oldest write out of the queue.
func (r *Recorder) head() (next func(context.Context) error, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return nil, r.closed
	}
	next = r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	return next, r.closed
}

// try makes one attempt. When it fails the write goes back to the head of the
// queue, and try returns how long to wait, given the last wait.
func (r *Recorder) try(ctx context.Context, write func(context.Context) error, waited time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	err := write(ctx)
	if err == nil {
		if waited > 0 {
			r.log.Info("the store works again")
		}
		return 0
	}
	if errors.Is(err, store.ErrNotFound) { // the call was deleted, or dropped before: trying again will not help
		r.log.Warn("a turn has no call to belong to; dropped", "err", err)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.dropped++
		return 0
	}
	if waited == 0 {
		r.log.Error("the store does not take what it is given; will go on trying", "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) < queueLength {
		r.queue = append([]func(context.Context) error{write}, r.queue...)
	} else {
		r.dropped++
	}
	return min(max(2*waited, firstRetry), lastRetry)
}
