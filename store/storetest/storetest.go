// Package storetest is the suite that every store must pass.
//
// May import: store, internal/timeline, testing.
// Concurrency: Run runs its cases one after the other.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"parley/internal/timeline"
	"parley/store"
)

// Run tests the stores that open returns: an empty one at each call. reopen
// closes a store and opens the same data again.
func Run(t *testing.T, open func(t *testing.T) store.Store, reopen func(t *testing.T, s store.Store) store.Store) {
	cases := map[string]func(*testing.T, store.Store){
		"calls":      testCalls,
		"turns":      testTurns,
		"unknown":    testUnknown,
		"delete":     testDelete,
		"pages":      testPages,
		"odd text":   testOddText,
		"concurrent": testConcurrent,
		"cancelled":  testCancelled,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			defer s.Close()
			run(t, s)
		})
	}
	t.Run("reopen", func(t *testing.T) {
		s := open(t)
		must(t, s.SaveCall(t.Context(), call(1)))
		must(t, s.SaveTurn(t.Context(), turn(1, 1)))
		s = reopen(t, s)
		defer s.Close()
		if turns, err := s.Turns(t.Context(), "call1"); err != nil || len(turns) != 1 {
			t.Errorf("after reopening: %v, %v", turns, err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func base() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 789_000, time.UTC) }

func call(n int) store.Call {
	return store.Call{ID: fmt.Sprintf("call%d", n), StartedAt: base().Add(time.Duration(n) * time.Minute), Client: "test/1"}
}

func turn(c, n int) store.Turn {
	at := base().Add(time.Duration(n) * time.Second)
	t := store.Turn{
		CallID: fmt.Sprintf("call%d", c), Number: n, StartedAt: at, EndedAt: at.Add(time.Second),
		Input: "speech", User: "what time is it", Reply: "It is late.", Status: "completed",
	}
	t.Timeline.Set(timeline.SpeechEnded, at)
	t.Timeline.Set(timeline.EndpointDecided, at.Add(200*time.Millisecond))
	return t
}

func testCalls(t *testing.T, s store.Store) {
	c := call(1)
	must(t, s.SaveCall(t.Context(), c))
	got, err := s.Call(t.Context(), c.ID)
	must(t, err)
	if got != c {
		t.Errorf("got %+v, want %+v", got, c)
	}
	c.EndedAt, c.Cause = c.StartedAt.Add(time.Hour), "hang_up"
	must(t, s.SaveCall(t.Context(), c))
	if got, _ := s.Call(t.Context(), c.ID); got != c {
		t.Errorf("after replacing: got %+v, want %+v", got, c)
	}
}

func testTurns(t *testing.T, s store.Store) {
	must(t, s.SaveCall(t.Context(), call(1)))
	for _, n := range []int{2, 1, 3} {
		must(t, s.SaveTurn(t.Context(), turn(1, n)))
	}
	changed := turn(1, 2)
	changed.Status, changed.Reason, changed.Reply = "cancelled", "turn_detected", "It is"
	changed.Timeline.Set(timeline.Interrupted, base())
	must(t, s.SaveTurn(t.Context(), changed))
	got, err := s.Turns(t.Context(), "call1")
	must(t, err)
	if want := []store.Turn{turn(1, 1), changed, turn(1, 3)}; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	must(t, s.SaveCall(t.Context(), call(1))) // replacing a call keeps its turns
	if c, _ := s.Call(t.Context(), "call1"); c.Turns != 3 {
		t.Errorf("the call counts %d turns", c.Turns)
	}
}

func testUnknown(t *testing.T, s store.Store) {
	_, err1 := s.Call(t.Context(), "nobody")
	_, err2 := s.Turns(t.Context(), "nobody")
	for _, err := range []error{err1, err2, s.DeleteCall(t.Context(), "nobody"), s.SaveTurn(t.Context(), turn(9, 1))} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
}

func testDelete(t *testing.T, s store.Store) {
	for n := 1; n <= 2; n++ {
		must(t, s.SaveCall(t.Context(), call(n)))
		must(t, s.SaveTurn(t.Context(), turn(n, 1)))
	}
	must(t, s.DeleteCall(t.Context(), "call1"))
	if _, err := s.Turns(t.Context(), "call1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("turns of a deleted call: %v", err)
	}
	must(t, s.SaveCall(t.Context(), call(1))) // its turns must not come back
	if turns, err := s.Turns(t.Context(), "call1"); err != nil || len(turns) != 0 {
		t.Errorf("turns came back: %v, %v", turns, err)
	}
	if turns, _ := s.Turns(t.Context(), "call2"); len(turns) != 1 {
		t.Errorf("the other call has %d turns", len(turns))
	}
}

func testPages(t *testing.T, s store.Store) {
	if calls, err := s.Calls(t.Context(), time.Time{}, 10); err != nil || len(calls) != 0 {
		t.Errorf("empty store: %v, %v", calls, err)
	}
	for n := 1; n <= 5; n++ {
		must(t, s.SaveCall(t.Context(), call(n)))
	}
	first, err := s.Calls(t.Context(), time.Time{}, 2)
	must(t, err)
	if len(first) != 2 || first[0].ID != "call5" || first[1].ID != "call4" {
		t.Fatalf("first page: %+v", first)
	}
	next, err := s.Calls(t.Context(), first[1].StartedAt, 10)
	must(t, err)
	if len(next) != 3 || next[0].ID != "call3" {
		t.Errorf("next page: %+v", next)
	}
}

func testOddText(t *testing.T, s store.Store) {
	c := call(1)
	c.ID, c.Client = `'; DROP TABLE calls; --`, "ünï\x00cødé \U0001F600 $where"
	must(t, s.SaveCall(t.Context(), c))
	odd := turn(1, 1)
	odd.CallID, odd.User, odd.Reply = c.ID, "\u202e\"'`\\", string(make([]byte, 5000))
	must(t, s.SaveTurn(t.Context(), odd))
	turns, err := s.Turns(t.Context(), c.ID)
	must(t, err)
	if len(turns) != 1 || turns[0].User != odd.User || turns[0].Reply != odd.Reply {
		t.Errorf("got %+v", turns)
	}
}

func testConcurrent(t *testing.T, s store.Store) {
	var wg sync.WaitGroup
	errs := make(chan error, 200)
	for c := 1; c <= 4; c++ {
		wg.Go(func() {
			errs <- s.SaveCall(t.Context(), call(c))
			for n := 1; n <= 20; n++ {
				errs <- s.SaveTurn(t.Context(), turn(c, n))
				_, err := s.Turns(t.Context(), fmt.Sprintf("call%d", c))
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		must(t, err)
	}
	for c := 1; c <= 4; c++ {
		if got, _ := s.Call(t.Context(), fmt.Sprintf("call%d", c)); got.Turns != 20 {
			t.Errorf("call %d has %d turns", c, got.Turns)
		}
	}
}

func testCancelled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.SaveCall(ctx, call(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
