package endpoint

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// ErrSilent is the cause of a context that a Watchdog cancelled. Classify
// makes it fault.Stalled.
var ErrSilent = errors.New("nothing came in time")

// Watchdog cancels a request whose stream goes silent. Only waiting counts: it
// is armed just before a read and disarmed after it, so a consumer that takes
// its time does not trip it.
type Watchdog struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	fired  atomic.Bool
}

// NewWatchdog returns a watchdog, disarmed, and the context it cancels, which
// the request must run under. Call Stop when the stream has ended.
func NewWatchdog(parent context.Context) (context.Context, *Watchdog) {
	ctx, cancel := context.WithCancelCause(parent)
	return ctx, &Watchdog{ctx: ctx, cancel: cancel}
}

// Arm gives the next piece d from now to come.
func (w *Watchdog) Arm(d time.Duration) {
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.bite)
		return
	}
	w.timer.Reset(d)
}

// Disarm says that the piece has come.
func (w *Watchdog) Disarm() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

// Stop disarms the watchdog and releases its context, cancelling whatever
// still runs under it.
func (w *Watchdog) Stop() {
	w.Disarm()
	w.cancel(context.Canceled)
}

// Err returns ErrSilent where err is what the watchdog caused, else err.
func (w *Watchdog) Err(err error) error {
	if err != nil && w.fired.Load() && context.Cause(w.ctx) == ErrSilent {
		return ErrSilent
	}
	return err
}

// Reader returns r with the watchdog around each Read: the first has first to
// give a byte, the others next. Its errors went through Err.
func (w *Watchdog) Reader(r io.Reader, first, next time.Duration) io.Reader {
	return &watchedReader{w: w, r: r, wait: first, next: next}
}

func (w *Watchdog) bite() {
	w.fired.Store(true)
	w.cancel(ErrSilent)
}

type watchedReader struct {
	w          *Watchdog
	r          io.Reader
	wait, next time.Duration
}

func (r *watchedReader) Read(p []byte) (int, error) {
	r.w.Arm(r.wait)
	n, err := r.r.Read(p)
	r.w.Disarm()
	if n > 0 {
		r.wait = r.next
	}
	return n, r.w.Err(err)
}
