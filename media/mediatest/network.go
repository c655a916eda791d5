// Package mediatest holds what tests of whole calls share: a virtual network
// and a caller made of pion, both usable inside a testing/synctest bubble, so
// that ICE, DTLS, SRTP and RTP run in fake time.
//
// May import: media/opus, pion. Tests only.
// Concurrency: a Network and a Caller may be used from several goroutines;
// close the Caller and the server before the Network.
package mediatest

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"
)

// The addresses on a Network.
const (
	ServerIP = "10.0.0.1"
	CallerIP = "10.0.0.2"
)

// Network is a virtual network of a server and a caller.
type Network struct {
	Server *vnet.Net // give it to media.Options.Net
	Caller *vnet.Net
	router *vnet.Router
}

// NewNetwork starts a network on which every packet takes delay.
func NewNetwork(tb testing.TB, delay time.Duration) *Network {
	tb.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "10.0.0.0/24", MinDelay: delay, LoggerFactory: &logging.DefaultLoggerFactory{Writer: tb.Output()},
	})
	check(tb, err)
	n := &Network{router: router}
	for ip, host := range map[string]**vnet.Net{ServerIP: &n.Server, CallerIP: &n.Caller} {
		*host, err = vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
		check(tb, err)
		check(tb, router.AddNet(*host))
	}
	check(tb, router.Start())
	return n
}

// Close stops the network.
func (n *Network) Close() error { return n.router.Stop() }

// Verdict says what becomes of a packet: it is sent once after each of the
// delays; none loses it.
type Verdict []time.Duration

// Pass sends a packet at once.
func Pass() Verdict { return Verdict{0} }

// Impairment judges each packet that a caller sends. It is called from one
// goroutine at a time.
type Impairment func(packet []byte) Verdict

// OnRTP applies judge to RTP packets alone, by their sequence number (which
// SRTP leaves readable), and passes everything else: STUN, DTLS, RTCP.
func OnRTP(judge func(seq uint16) Verdict) Impairment {
	return func(b []byte) Verdict {
		// RFC 7983 and RFC 5761 §4: version 2, and not an RTCP packet type.
		if len(b) < 12 || b[0] < 128 || b[0] > 191 || b[1] >= 192 && b[1] <= 223 {
			return Pass()
		}
		return judge(uint16(b[2])<<8 | uint16(b[3]))
	}
}

// impaired is a packet connection whose writes go through an Impairment.
type impaired struct {
	net.PacketConn
	mu    sync.Mutex
	judge Impairment
}

// WriteTo implements net.PacketConn.
func (c *impaired) WriteTo(p []byte, to net.Addr) (int, error) {
	c.mu.Lock()
	verdict := c.judge(p)
	c.mu.Unlock()
	for _, d := range verdict {
		if d == 0 {
			if _, err := c.PacketConn.WriteTo(p, to); err != nil {
				return 0, err
			}
			continue
		}
		late := append([]byte(nil), p...)
		time.AfterFunc(d, func() { _, _ = c.PacketConn.WriteTo(late, to) }) // to a closed socket: lost
	}
	return len(p), nil
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
