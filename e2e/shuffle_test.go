package e2e

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v5"

	"parley/loadtest"
)

// shuffled is a network on which every nth media packet a caller sends is late
// by `late`, so that others overtake it, and every mth is sent twice.
type shuffled struct {
	transport.Net
	nth, mth int
	late     time.Duration
	overtook *atomic.Int64 // packets made late
}

// ListenUDP implements transport.Net.
func (s shuffled) ListenUDP(network string, addr *net.UDPAddr) (transport.UDPConn, error) {
	c, err := s.Net.ListenUDP(network, addr)
	if err != nil {
		return nil, err
	}
	return &shuffledConn{UDPConn: c, s: s}, nil
}

// ListenPacket implements transport.Net.
func (s shuffled) ListenPacket(network, addr string) (net.PacketConn, error) {
	c, err := s.Net.ListenPacket(network, addr)
	if err != nil {
		return nil, err
	}
	udp, ok := c.(transport.UDPConn)
	if !ok {
		return nil, fmt.Errorf("%T is no UDP connection", c)
	}
	return &shuffledConn{UDPConn: udp, s: s}, nil
}

type shuffledConn struct {
	transport.UDPConn
	s  shuffled
	mu sync.Mutex
	n  int // media packets so far
}

// WriteTo implements net.PacketConn.
func (c *shuffledConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if len(b) < 12 || b[0]>>6 != 2 || b[1] >= 192 && b[1] <= 223 { // no RTP (RFC 7983, RFC 5761 §4)
		return c.UDPConn.WriteTo(b, to)
	}
	c.mu.Lock()
	c.n++
	n := c.n
	c.mu.Unlock()
	if n%c.s.mth == 0 {
		_, _ = c.UDPConn.WriteTo(b, to) // a copy, and the packet itself below
	}
	if n%c.s.nth == 0 {
		c.s.overtook.Add(1)
		late := append([]byte(nil), b...)
		time.AfterFunc(c.s.late, func() { _, _ = c.UDPConn.WriteTo(late, to) })
		return len(b), nil
	}
	return c.UDPConn.WriteTo(b, to)
}

// Packets that overtake each other, and copies, change nothing about a turn.
func TestReorderingAndDuplicates(t *testing.T) {
	inFakeTime(t, testConfig(), func(v *virtual) {
		var overtook atomic.Int64
		c, ctx := v.callFrom(shuffled{Net: v.nets[1], nth: 10, mth: 33, late: 35 * ms, overtook: &overtook}, loadtest.Options{})
		defer c.Hangup()
		for _, want := range []string{"the first question", "the second question"} {
			turn, err := c.Say(ctx, clip(t, "what-time-is-it-1.wav"))
			must(t, err)
			if turn.Transcript != want {
				t.Errorf("understood %q; an utterance was split or missed", turn.Transcript)
			}
			if own, ok := turn.Timeline.ResponseTime(); !ok || own > 240*ms {
				t.Errorf("the answer took %v", own)
			}
		}
		if n := overtook.Load(); n < 20 {
			t.Errorf("only %d packets were late: the network was not shuffled", n)
		}
	})
}
