package openai

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"net/http"
	"time"

	"parley/internal/endpoint"
	"parley/internal/fault"
	"parley/llm"
)

const (
	op = "llm/openai: reply"
	// firstBackOff is the wait before the first retry; it doubles.
	firstBackOff = 200 * time.Millisecond
	// longestRetryAfter is how long a server may send a waiting caller away.
	longestRetryAfter = 2 * time.Second
)

// Reply implements llm.Model.
func (e *Engine) Reply(ctx context.Context, p llm.Prompt) iter.Seq2[llm.Delta, error] {
	return func(yield func(llm.Delta, error) bool) {
		r := &reply{engine: e, prompt: p, yield: yield, start: time.Now()}
		if err := r.run(ctx); err != nil && !r.left {
			yield(llm.Delta{}, err)
		}
	}
}

// reply is one reply being made, over one or more attempts.
type reply struct {
	engine *Engine
	prompt llm.Prompt
	yield  func(llm.Delta, error) bool
	start  time.Time

	spoken int  // bytes of text yielded
	left   bool // the consumer has left the loop
}

// run makes attempts until one has begun to speak or no further is in order.
func (r *reply) run(ctx context.Context) error {
	e := r.engine
	withTools, refused := e.cfg.Tools && !e.noTools.Load(), false
	backOff := firstBackOff
	for attempt := 0; ; {
		err := r.attempt(ctx, withTools)
		switch {
		case ctx.Err() != nil:
			return gone(ctx)
		case err == nil || r.left || r.spoken > 0:
			if refused { // it was the tools: from now on they are not offered
				e.noTools.Store(true)
			}
			return err
		case withTools && refusesTools(err):
			withTools, refused = false, true
			e.log.Info("request refused; trying without tools")
			continue
		}
		wait, ok := retryIn(err, backOff)
		if !ok || attempt >= e.cfg.Retries || wait >= e.cfg.FirstTokenTimeout-time.Since(r.start) {
			return err
		}
		attempt++
		e.log.Warn("trying again", "attempt", attempt, "kind", fault.KindOf(err), "wait_ms", wait.Milliseconds())
		if pause(ctx, wait) != nil {
			return gone(ctx)
		}
		backOff *= 2
	}
}

// gone is the error of a reply whose context is done.
func gone(ctx context.Context) error {
	kind := fault.Canceled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind = fault.Stalled
	}
	return fault.New(kind, op, context.Cause(ctx))
}

// refusesTools reports whether err may mean that the server takes no tools.
func refusesTools(err error) bool {
	var s *endpoint.StatusError
	return errors.As(err, &s) && (s.Status == http.StatusBadRequest || s.Status == http.StatusUnprocessableEntity ||
		s.Status == http.StatusNotImplemented)
}

// retryIn returns how long to wait before another attempt, and whether one may
// help at all. The back-off is spread by up to a quarter, so that the calls
// that a server refused together do not come back together.
func retryIn(err error, backOff time.Duration) (time.Duration, bool) {
	var f *fault.Error
	if !errors.As(err, &f) {
		return 0, false
	}
	if s := (*endpoint.StatusError)(nil); errors.As(err, &s) && s.Code == "insufficient_quota" {
		return 0, false
	}
	wait := max(f.RetryAfter, backOff+time.Duration(rand.Int64N(int64(backOff)/4)))
	switch f.Kind {
	case fault.RateLimited, fault.Failed:
		return wait, f.RetryAfter <= longestRetryAfter
	case fault.Unreachable:
		return wait, true
	default:
		return 0, false
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
