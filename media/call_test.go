package media_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/audio"
	"parley/media"
	"parley/media/mediatest"
)

const ms = time.Millisecond

// handler keeps what a peer tells.
type handler struct {
	mu         sync.Mutex
	frames     []audio.Frame
	messages   []string
	states     []media.State
	channel    []bool
	candidates int
	gathered   bool
}

func (h *handler) with(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

func (h *handler) Audio(f audio.Frame)   { h.with(func() { h.frames = append(h.frames, f.Clone()) }) }
func (h *handler) Message(m []byte)      { h.with(func() { h.messages = append(h.messages, string(m)) }) }
func (h *handler) ChannelOpen(open bool) { h.with(func() { h.channel = append(h.channel, open) }) }
func (h *handler) State(s media.State)   { h.with(func() { h.states = append(h.states, s) }) }
func (h *handler) Candidate(c *media.Candidate) {
	h.with(func() {
		if c == nil {
			h.gathered = true
		} else {
			h.candidates++
		}
	})
}

// counts returns how many frames of each origin came, after checking that the
// time line is unbroken.
func (h *handler) counts(t *testing.T) map[audio.Origin]int {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	n, end := map[audio.Origin]int{}, time.Duration(0)
	for _, f := range h.frames {
		if f.Start != end || f.Duration() != 20*ms {
			t.Fatalf("frame at %v of %v after %v", f.Start, f.Duration(), end)
		}
		end = f.End()
		n[f.Origin]++
	}
	return n
}

// call is a caller connected to a peer.
type call struct {
	*handler
	edge   *media.Edge
	peer   *media.Peer
	caller *mediatest.Caller
	net    *mediatest.Network
}

// inFakeTime runs f with a call over a virtual network with a delay of 10 ms
// each way; what the caller sends is impaired.
func inFakeTime(t *testing.T, impair mediatest.Impairment, f func(t *testing.T, c *call)) {
	synctest.Test(t, func(t *testing.T) {
		n := mediatest.NewNetwork(t, 10*ms)
		e := newEdge(t, media.Config{UDPAddress: mediatest.ServerIP + ":8189"}, media.Options{Net: n.Server})
		c := &call{handler: &handler{}, edge: e, net: n}
		var err error
		if c.peer, err = e.NewPeer(c); err != nil {
			t.Fatal(err)
		}
		c.caller = mediatest.NewCaller(t, mediatest.CallerOptions{Net: n.Caller, Impair: impair})
		c.caller.Call(func(offer string) (string, error) { return c.peer.Answer(t.Context(), offer, false) })
		f(t, c)
		c.close(t)
	})
}

// close ends everything; in a bubble, a goroutine that is left fails the test.
func (c *call) close(t *testing.T) {
	t.Helper()
	c.peer.Close()
	c.caller.Close()
	if c.edge.Live() != 0 {
		t.Errorf("%d live peers after Close", c.edge.Live())
	}
	if err := c.edge.Close(); err != nil {
		t.Error(err)
	}
	if c.net != nil {
		if err := c.net.Close(); err != nil {
			t.Error(err)
		}
	}
}

func newEdge(t *testing.T, cfg media.Config, o media.Options) *media.Edge {
	t.Helper()
	e, err := media.NewEdge(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func say(t *testing.T, c *call, frames int) {
	t.Helper()
	if err := c.caller.Say(mediatest.Speech(frames * 320)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * ms)
}

func TestCallHearsEveryFrame(t *testing.T) {
	inFakeTime(t, nil, func(t *testing.T, c *call) {
		say(t, c, 100)
		if n := c.counts(t); n[audio.Received] != 100 || len(n) != 1 {
			t.Errorf("frames by origin: %v", n)
		}
		for i, f := range c.frames {
			if i > 0 && f.Arrived.Sub(c.frames[i-1].Arrived) != 20*ms {
				t.Errorf("frame %d arrived %v after the last", i, f.Arrived.Sub(c.frames[i-1].Arrived))
			}
		}
		s := c.peer.Stats()
		if s.In.Window.Received != 100 || s.In.Jitter > ms || s.In.Alien+s.In.Flooded+s.In.Oversized > 0 {
			t.Errorf("stats %+v", s.In)
		}
		if got := c.states; len(got) < 2 || got[len(got)-1] != media.StateConnected {
			t.Errorf("states %v", got)
		}
	})
}

// every returns true for one in n packets, spread out.
func every(n int) func(seq uint16) bool {
	return func(seq uint16) bool { return seq*7%uint16(n) == 3 }
}

func TestCallUnderLoss(t *testing.T) {
	for name, lost := range map[string]func(uint16) bool{"5 %": every(20), "10 %": every(10)} {
		t.Run(name, func(t *testing.T) {
			dropped := 0
			impair := mediatest.OnRTP(func(seq uint16) mediatest.Verdict {
				if lost(seq) {
					dropped++
					return nil
				}
				return mediatest.Pass()
			})
			inFakeTime(t, impair, func(t *testing.T, c *call) {
				say(t, c, 200)
				n, s := c.counts(t), c.peer.Stats().In
				total := n[audio.Received] + n[audio.Recovered] + n[audio.Concealed]
				if dropped < 9 || total != 200 || n[audio.Received] != 200-dropped || int(s.Window.Lost) != dropped {
					t.Errorf("%d dropped; frames by origin: %v, %+v", dropped, n, s)
				}
				if n[audio.Recovered] == 0 {
					t.Error("nothing was recovered by FEC")
				}
				if told := c.caller.ToldLost(); told < dropped/2 || told > dropped {
					t.Errorf("the caller was told of %d lost", told)
				}
			})
		})
	}
}

func TestCallUnderReorderingAndDuplication(t *testing.T) {
	impair := mediatest.OnRTP(func(seq uint16) mediatest.Verdict {
		switch {
		case seq%20 == 5:
			return mediatest.Verdict{25 * ms} // overtaken by the next
		case seq%20 == 12:
			return mediatest.Verdict{0, 3 * ms} // twice
		}
		return mediatest.Pass()
	})
	inFakeTime(t, impair, func(t *testing.T, c *call) {
		say(t, c, 200)
		s := c.peer.Stats().In.Window
		if n := c.counts(t); n[audio.Received] != 200 || len(n) != 1 {
			t.Errorf("frames by origin: %v", n)
		}
		// SRTP's replay protection takes the duplicates before they are counted.
		if s.Reordered != 10 || s.Received != 200 || s.Lost != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestCallBlackoutIsUnknownNotSilence(t *testing.T) {
	const first = uint16(65530)
	impair := mediatest.OnRTP(func(seq uint16) mediatest.Verdict {
		if i := seq - first; i >= 50 && i < 65 { // 300 ms
			return nil
		}
		return mediatest.Pass()
	})
	inFakeTime(t, impair, func(t *testing.T, c *call) {
		say(t, c, 100)
		n := c.counts(t)
		if n[audio.Received] != 85 || n[audio.Concealed]+n[audio.Recovered] != 15 || n[audio.Comfort] != 0 {
			t.Errorf("frames by origin: %v", n)
		}
		for i, f := range c.frames[50:64] {
			if f.Origin != audio.Concealed {
				t.Errorf("frame %d is %v", 50+i, f.Origin)
			}
		}
	})
}

func TestCallPlaysReplies(t *testing.T) {
	inFakeTime(t, nil, func(t *testing.T, c *call) {
		// Two talkspurts of half a second, a second apart; reports come in between.
		var first time.Time
		for range 2 {
			p := c.peer.Speaker().Start(func(at time.Time) { first = at })
			if err := p.Write(t.Context(), mediatest.Speech(8000), 16000); err != nil {
				t.Fatal(err)
			}
			if err := p.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := p.Stop(); got.Sent != 500*ms || got.Heard > got.Sent {
				t.Errorf("played %+v", got)
			}
			time.Sleep(time.Second)
		}
		heard := c.caller.Heard()
		if len(heard) != 50 || c.caller.Stream() == "" {
			t.Fatalf("%d packets on stream %q", len(heard), c.caller.Stream())
		}
		for i, p := range heard {
			if p.Header.Marker != (i%25 == 0) {
				t.Errorf("packet %d: marker %v", i, p.Header.Marker)
			}
			if i%25 > 0 && p.At.Sub(heard[i-1].At) != 20*ms {
				t.Errorf("packet %d came %v after the last", i, p.At.Sub(heard[i-1].At))
			}
		}
		if d := heard[25].At.Sub(first); d != 10*ms {
			t.Errorf("the first packet took %v; the network takes 10 ms", d)
		}
		if rtt := c.peer.Stats().RTT; rtt < 19*ms || rtt > 21*ms {
			t.Errorf("RTT by RTCP is %v, the network's is 20 ms", rtt)
		}
	})
}

func TestCallStopTakesEffectWithinAFrame(t *testing.T) {
	inFakeTime(t, nil, func(t *testing.T, c *call) {
		p := c.peer.Speaker().Start(nil)
		go func() { _ = p.Write(t.Context(), mediatest.Speech(5*16000), 16000) }()
		time.Sleep(1234 * ms)
		stopped := time.Now()
		p.Stop()
		time.Sleep(time.Second)
		heard := c.caller.Heard()
		if last := heard[len(heard)-1].At; last.After(stopped.Add(20 * ms)) {
			t.Errorf("the last packet came %v after Stop", last.Sub(stopped))
		}
	})
}
