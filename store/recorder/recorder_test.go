package recorder

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/conversation"
	"parley/internal/timeline"
	"parley/store"
)

// memory is a store that can be made to fail or to hang.
type memory struct {
	store.Store // the methods a recorder does not use
	mu          sync.Mutex
	err         error
	hang        bool
	calls       []store.Call
	turns       []store.Turn
}

func (m *memory) fate(ctx context.Context) error {
	m.mu.Lock()
	hang, err := m.hang, m.err
	m.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (m *memory) SaveCall(ctx context.Context, c store.Call) error {
	if err := m.fate(ctx); err != nil {
		return err
	}
	m.calls = append(m.calls, c)
	return nil
}

func (m *memory) SaveTurn(ctx context.Context, t store.Turn) error {
	if err := m.fate(ctx); err != nil {
		return err
	}
	m.turns = append(m.turns, t)
	return nil
}

func (m *memory) set(err error, hang bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err, m.hang = err, hang
}

func envelope(e conversation.Event) conversation.Envelope {
	return conversation.Envelope{Call: "c", At: time.Now(), Event: e}
}

func TestRecordsCallsAndTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		r := New(m, nil)
		var line timeline.Timeline
		line.Set(timeline.SpeechEnded, time.Now())
		r.Consume(envelope(conversation.CallStarted{Client: "x/1"}))
		r.Consume(envelope(conversation.TurnEnded{Turn: 1, Input: "text", Status: conversation.Cancelled, Reason: "hang_up", User: "hi", Heard: "he", Timeline: line}))
		time.Sleep(time.Minute)
		r.Consume(envelope(conversation.CallEnded{Cause: "hang_up"}))
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(m.calls) != 2 || m.calls[1].Cause != "hang_up" || m.calls[1].Client != "x/1" || m.calls[1].EndedAt.Sub(m.calls[1].StartedAt) != time.Minute {
			t.Errorf("calls: %+v", m.calls)
		}
		if len(m.turns) != 1 || m.turns[0].Reply != "he" || m.turns[0].Status != "cancelled" || m.turns[0].Timeline != line {
			t.Errorf("turns: %+v", m.turns)
		}
	})
}

func TestOutlivesAStoreThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{err: errors.New("disk full")}
		r := New(m, nil)
		r.Consume(envelope(conversation.CallStarted{}))
		for n := 1; n <= 100; n++ {
			r.Consume(envelope(conversation.TurnEnded{Turn: n}))
		}
		time.Sleep(time.Minute)
		m.set(nil, false)
		time.Sleep(lastRetry)
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(m.turns) != 100 || m.turns[0].Number != 1 || m.turns[99].Number != 100 || r.Dropped() != 0 {
			t.Errorf("%d turns, %d dropped", len(m.turns), r.Dropped())
		}
	})
}

func TestBoundedWhileTheStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{hang: true}
		r := New(m, nil)
		for n := range queueLength + 500 {
			r.Consume(envelope(conversation.TurnEnded{Turn: n}))
		}
		if r.Dropped() < 499 {
			t.Errorf("dropped %d", r.Dropped())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Close(ctx); err == nil {
			t.Error("Close did not tell of what was lost")
		}
		r.Consume(envelope(conversation.TurnEnded{})) // after the end: counted, not kept
	})
}

// A turn that no store will ever take does not hold up those behind it.
func TestPassesOverATurnWithoutItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{err: fmt.Errorf("save turn: %w", store.ErrNotFound)}
		r := New(m, nil)
		r.Consume(envelope(conversation.TurnEnded{Turn: 1}))
		synctest.Wait()
		m.set(nil, false)
		r.Consume(envelope(conversation.TurnEnded{Turn: 2}))
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(m.turns) != 1 || m.turns[0].Number != 2 || r.Dropped() != 1 {
			t.Errorf("turns %+v, %d dropped", m.turns, r.Dropped())
		}
	})
}

// The caller's side tells late when it heard the first packet: the turn is
// saved again, and only the turn the mark belongs to.
func TestSavesMarksThatComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		r := New(m, nil)
		var line timeline.Timeline
		line.Set(timeline.SpeechEnded, time.Now())
		r.Consume(envelope(conversation.CallStarted{}))
		r.Consume(envelope(conversation.TimelineChanged{Turn: 1, Timeline: line})) // under way: nothing to save yet
		r.Consume(envelope(conversation.TurnEnded{Turn: 1, User: "hi", Timeline: line}))
		late := line
		late.Set(timeline.FirstPacketHeard, time.Now().Add(time.Second))
		r.Consume(envelope(conversation.TimelineChanged{Turn: 1, Timeline: late}))
		r.Consume(envelope(conversation.TimelineChanged{Turn: 1, Timeline: late})) // no news
		r.Consume(envelope(conversation.TimelineChanged{Turn: 2, Timeline: late}))
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(m.turns) != 2 || m.turns[0].Timeline != line || m.turns[1].Timeline != late || m.turns[1].User != "hi" {
			t.Errorf("turns: %+v", m.turns)
		}
	})
}
