package media_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/audio"
	"parley/media"
	"parley/media/mediatest"
)

// onLoopback makes a call over this machine's real network and closes it. No
// goroutine may be left.
func onLoopback(t *testing.T, cfg media.Config, o mediatest.CallerOptions) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	e := newEdge(t, cfg, media.Options{})
	c := &call{handler: &handler{}, edge: e}
	var err error
	if c.peer, err = e.NewPeer(c); err != nil {
		t.Fatal(err)
	}
	c.caller = mediatest.NewCaller(t, o)
	defer c.close(t)
	c.caller.Call(func(offer string) (string, error) { return c.peer.Answer(t.Context(), offer, false) })

	// Twenty packets at once are as good as in 400 ms: nothing here is timed.
	for range 20 {
		if err := c.caller.Send([]byte{0xf8, 0xff, 0xfe}, 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	track := c.peer.Speaker().Start(nil)
	if err := track.Write(t.Context(), mediatest.Speech(3200), 16000); err != nil {
		t.Fatal(err)
	}
	if err := track.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "20 frames", func() bool { return c.counts(t)[audio.Received] == 20 })
	waitFor(t, "10 packets", func() bool { return len(c.caller.Heard()) == 10 })
}

// waitFor polls, for at most 10 s.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick, deadline := time.NewTicker(5*time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s within 10 s", what)
		}
	}
}

func TestLoopbackUDP(t *testing.T) {
	onLoopback(t, media.Config{UDPAddress: "127.0.0.1:0", TCPAddress: "127.0.0.1:0"}, mediatest.CallerOptions{})
}

func TestLoopbackOnAllInterfacesAdvertised(t *testing.T) {
	onLoopback(t, media.Config{UDPAddress: "0.0.0.0:0", AdvertisedAddresses: []string{"127.0.0.1"}}, mediatest.CallerOptions{})
}

func TestLoopbackFallsBackToTCP(t *testing.T) {
	onLoopback(t, media.Config{UDPAddress: "127.0.0.1:0", TCPAddress: "127.0.0.1:0"}, mediatest.CallerOptions{TCP: true})
}

func TestLoopbackTCPOnly(t *testing.T) {
	onLoopback(t, media.Config{TCPAddress: "127.0.0.1:0"}, mediatest.CallerOptions{TCP: true})
}

func TestLoopbackListenOnly(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	e := newEdge(t, media.Config{UDPAddress: "127.0.0.1:0"}, media.Options{})
	c := &call{handler: &handler{}, edge: e}
	var err error
	if c.peer, err = e.NewPeer(c); err != nil {
		t.Fatal(err)
	}
	c.caller = mediatest.NewCaller(t, mediatest.CallerOptions{NoMic: true})
	defer c.close(t)
	c.caller.Call(func(offer string) (string, error) { return c.peer.Answer(t.Context(), offer, false) })
	track := c.peer.Speaker().Start(nil)
	if err := track.Write(t.Context(), mediatest.Speech(3200), 16000); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "5 packets", func() bool { return len(c.caller.Heard()) >= 5 })
}
