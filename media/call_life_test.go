package media_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"

	"parley/audio"
	"parley/media"
	"parley/media/mediatest"
)

func TestCallCarriesEvents(t *testing.T) {
	inFakeTime(t, nil, func(t *testing.T, c *call) {
		for range 150 { // 100 at once are taken
			if err := c.caller.Events.SendText(`{"type":"x"}`); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.peer.SendEvent([]byte(`{"type":"y"}`)); err != nil {
			t.Fatal(err)
		}
		big := []byte(strings.Repeat("z", 40<<10))
		refused := 0
		for range 50 {
			if err := c.peer.SendEvent(big); err != nil {
				refused++
			}
		}
		if refused == 0 {
			t.Error("2 MB were queued at once")
		}
		time.Sleep(20 * time.Second)
		s := c.peer.Stats()
		if len(c.messages) < 100 || len(c.messages) > 110 || s.MessagesDropped != 150-uint64(len(c.messages)) {
			t.Errorf("%d messages taken, %+v", len(c.messages), s)
		}
		got := c.caller.Messages()
		if len(got) != 51-refused || got[0] != `{"type":"y"}` {
			t.Errorf("%d messages received", len(got))
		}
	})
}

func TestCallDropsOversizedMessages(t *testing.T) {
	inFakeTime(t, nil, func(t *testing.T, c *call) {
		// The answer says 16 KB; a caller that sends more loses the channel.
		if err := c.caller.Events.SendText(strings.Repeat("x", 17<<10)); err == nil {
			time.Sleep(time.Second)
			if len(c.messages) != 0 {
				t.Error("a message of 17 KB was taken")
			}
			if err := c.peer.SendEvent([]byte("x")); err == nil {
				t.Error("the channel is still open")
			}
		}
	})
}

func TestCallSurvivesAnICERestart(t *testing.T) {
	inFakeTime(t, nil, func(t *testing.T, c *call) {
		say(t, c, 20)
		c.caller.Negotiate(&webrtc.OfferOptions{ICERestart: true}, func(offer string) (string, error) {
			return c.peer.Answer(t.Context(), offer, false)
		})
		time.Sleep(2 * time.Second)
		say(t, c, 20)
		if n := c.counts(t); n[audio.Received] != 40 {
			t.Errorf("frames by origin: %v", n)
		}
	})
}

func TestVanishedCallerIsNoticed(t *testing.T) {
	var gone atomic.Bool
	impair := func([]byte) mediatest.Verdict {
		if gone.Load() {
			return nil
		}
		return mediatest.Pass()
	}
	inFakeTime(t, impair, func(t *testing.T, c *call) {
		gone.Store(true)
		start := time.Now()
		for c.lastState() != media.StateFailed {
			time.Sleep(100 * ms)
			if time.Since(start) > 15*time.Second {
				t.Fatalf("after 15 s the state is %v", c.lastState())
			}
		}
	})
}

func TestCallerThatNeverComesIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mediatest.NewNetwork(t, 10*ms)
		c := &call{handler: &handler{}, net: n}
		c.edge = newEdge(t, media.Config{UDPAddress: mediatest.ServerIP + ":8189"}, media.Options{Net: n.Server})
		var err error
		if c.peer, err = c.edge.NewPeer(c); err != nil {
			t.Fatal(err)
		}
		nothing := func([]byte) mediatest.Verdict { return nil }
		c.caller = mediatest.NewCaller(t, mediatest.CallerOptions{Net: n.Caller, Impair: nothing})
		c.caller.Negotiate(nil, func(offer string) (string, error) { return c.peer.Answer(t.Context(), offer, false) })
		time.Sleep(15 * time.Second)
		if s := c.lastState(); s != media.StateFailed {
			t.Errorf("after 15 s the state is %v", s)
		}
		c.close(t)
	})
}

func (h *handler) lastState() media.State {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.states) == 0 {
		return media.StateNew
	}
	return h.states[len(h.states)-1]
}

func TestTrickledCandidatesConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mediatest.NewNetwork(t, 10*ms)
		c := &call{handler: &handler{}, net: n}
		c.edge = newEdge(t, media.Config{UDPAddress: mediatest.ServerIP + ":8189"}, media.Options{Net: n.Server})
		var err error
		if c.peer, err = c.edge.NewPeer(c); err != nil {
			t.Fatal(err)
		}
		c.caller = mediatest.NewCaller(t, mediatest.CallerOptions{Net: n.Caller})
		c.caller.Call(func(offer string) (string, error) {
			var kept []string
			for line := range strings.Lines(offer) {
				if v, ok := strings.CutPrefix(line, "a=candidate:"); ok { // trickled before the offer
					if err := c.peer.AddCandidate(media.Candidate{Candidate: "candidate:" + strings.TrimSpace(v)}); err != nil {
						t.Error(err)
					}
					continue
				}
				kept = append(kept, line)
			}
			answer, err := c.peer.Answer(t.Context(), strings.Join(kept, ""), true)
			if err != nil || strings.Contains(answer, "a=candidate:") {
				t.Errorf("answer has candidates, or %v", err)
			}
			time.Sleep(100 * ms)
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.candidates == 0 || !c.gathered {
				t.Errorf("%d candidates told, gathered %v", c.candidates, c.gathered)
			}
			return answer, err
		})
		c.close(t)
	})
}

func TestEdgeCloseEndsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := mediatest.NewNetwork(t, 10*ms)
		e := newEdge(t, media.Config{UDPAddress: mediatest.ServerIP + ":8189"}, media.Options{Net: n.Server})
		h := &handler{}
		for range 3 {
			if _, err := e.NewPeer(h); err != nil {
				t.Fatal(err)
			}
		}
		if e.Live() != 3 {
			t.Errorf("%d live", e.Live())
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if _, err := e.NewPeer(h); err == nil || e.Live() != 0 {
			t.Errorf("a closed edge took a peer; %d live", e.Live())
		}
		if len(h.states) != 3 || h.states[0] != media.StateClosed {
			t.Errorf("states %v", h.states)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}
