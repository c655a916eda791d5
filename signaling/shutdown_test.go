package signaling

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"parley/conversation"
)

func TestShutdownSaysBye(t *testing.T) {
	inBubble(t, func(r *rig) {
		joined, _ := r.join()
		waiting := r.connect(nil) // has not joined
		lost, _ := r.join()       // its socket is gone, its window open
		lost.drop()
		r.do("POST", callsPath, offerOf(1, 1), "Content-Type", sdpType)
		synctest.Wait()
		if r.server.Live() != 3 {
			t.Errorf("%d calls", r.server.Live())
		}
		done := make(chan error)
		start := time.Now()
		go func() { done <- r.server.Shutdown(context.Background()) }()
		if m := joined.want("parley.bye"); m.Event.Reason != "shutdown" {
			t.Errorf("parley.bye: got %q", m.Event.Reason)
		}
		if m := joined.want("bye"); m.Reason != "shutdown" {
			t.Errorf("bye: got %q", m.Reason)
		}
		joined.wantClose(websocket.CloseGoingAway)
		if m := waiting.want("bye"); m.Reason != "shutdown" {
			t.Errorf("bye: got %q", m.Reason)
		}
		waiting.wantClose(websocket.CloseGoingAway)
		if err := <-done; err != nil || time.Since(start) > closeGrace {
			t.Errorf("shut down: %v after %v", err, time.Since(start))
		}
		resp, body := r.do("POST", callsPath, offerOf(1, 1), "Content-Type", sdpType)
		wantProblem(t, resp, body, http.StatusServiceUnavailable, "shutting_down")
		if _, resp, err := r.tryConnect(nil); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a socket after: got %v, %v", resp, err)
		}
	})
}

// Clients that read nothing do not keep the server for longer than the write
// timeout; a conversation that does not end keeps it only as long as ctx says.
func TestShutdownDoesNotWaitForever(t *testing.T) {
	inBubble(t, func(r *rig) {
		_, _ = r.join() // never reads
		talk := <-r.backend.talks
		talk.emit(conversation.TimerRang{})
		start := time.Now()
		if err := r.server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d > DefaultConfig().WriteTimeout+closeGrace {
			t.Errorf("took %v", d)
		}
	})
	inBubble(t, func(r *rig) {
		_, _ = r.join()
		talk := <-r.backend.talks
		hang := make(chan struct{})
		talk.hold.Store(&hang)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := r.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(hang)
	})
}

// An offer that is being answered does not hold up the end of its call.
func TestEndDuringAnswer(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.backend.hold = make(chan struct{})
		c, _ := r.join()
		c.offer(offerOf(1, 1))
		peer := <-r.backend.peers
		synctest.Wait()
		start := time.Now()
		if err := r.server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-peer.closed
		if d := time.Since(start); d > DefaultConfig().WriteTimeout+closeGrace {
			t.Errorf("took %v", d)
		}
	})
}

// A conversation that ends by itself ends its call.
func TestConversationEnds(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, _ := r.join()
		talk := <-r.backend.talks
		talk.emit(conversation.CallEnded{Cause: "idle"})
		if m := c.want("parley.bye"); m.Event.Reason != "idle" {
			t.Errorf("parley.bye: got %q", m.Event.Reason)
		}
		if m := c.want("bye"); m.Reason != "idle" {
			t.Errorf("bye: got %q", m.Reason)
		}
		c.wantClose(websocket.CloseNormalClosure)
	})
}

// A peer's callback that waits for the call does not hold up its end.
func TestEndWithBusyCallbacks(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, joined := r.join()
		c.offer(offerOf(1, 1))
		c.want("candidate")
		c.listen()
		peer := <-r.backend.peers
		call := r.server.find(joined.Call)
		release := make(chan struct{})
		call.post(func() { <-release })
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			for range 2 * mailQueue {
				peer.events.State(PeerConnected)
			}
		}()
		synctest.Wait()
		call.stop("hang_up")
		close(release)
		<-returned
		<-peer.closed
		<-call.done
		peer.events.Candidate(nil) // late, and harmless
		if call.ask(func() {}) {
			t.Error("a call that is over answered")
		}
	})
}
