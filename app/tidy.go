package app

import (
	"context"
	"runtime/debug"
	"sync/atomic"
	"time"

	"parley/conversation"
)

// tidyAfter the last call has ended its memory goes back to the system: long
// enough for its peer to close and for a caller who redials.
const tidyAfter = 2 * time.Second

// tidier gives the memory of calls back once there are none. Go would keep it
// for minutes, in case it is needed again; a collection costs nobody anything
// while nobody talks.
type tidier struct {
	live atomic.Int64
	idle chan struct{} // holds a token when the last call has ended
}

func newTidier() *tidier { return &tidier{idle: make(chan struct{}, 1)} }

// Consume counts calls.
func (t *tidier) Consume(e conversation.Envelope) {
	switch e.Event.(type) {
	case conversation.CallStarted:
		t.live.Add(1)
	case conversation.CallEnded:
		if t.live.Add(-1) == 0 {
			select {
			case t.idle <- struct{}{}:
			default:
			}
		}
	}
}

// run tidies until ctx is done.
func (t *tidier) run(ctx context.Context) {
	for {
		select {
		case <-t.idle:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(tidyAfter):
		case <-ctx.Done():
			return
		}
		if t.live.Load() == 0 {
			debug.FreeOSMemory()
		}
	}
}
