package app

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"

	"parley/media"
	"parley/observe"
)

// newEdge opens the media ports. Where a default port is taken, by another
// parley most likely, any free one will do: callers learn it from the answer.
// Not so where others are served: a firewall may let the default one through only.
func newEdge(cfg Config, o media.Options) (*media.Edge, error) {
	m, standard := cfg.mediaConfig(), media.DefaultConfig()
	edge, err := media.NewEdge(m, o)
	if err == nil || !errors.Is(err, syscall.EADDRINUSE) || !cfg.Loopback() ||
		cfg.Media.UDPAddress != standard.UDPAddress || cfg.Media.TCPAddress != standard.TCPAddress {
		return edge, err
	}
	if o.Log != nil {
		o.Log.Warn("the default media port is taken; using any free one", "taken", m.UDPAddress)
	}
	m.UDPAddress, m.TCPAddress = anyPort(m.UDPAddress), anyPort(m.TCPAddress)
	return media.NewEdge(m, o)
}

// mediaConfig is where media meets callers. Where HTTP is served to others and
// the media addresses are the default ones, media follows HTTP.
func (c Config) mediaConfig() media.Config {
	m, standard := c.Media, media.DefaultConfig()
	if !c.Loopback() {
		m.UDPAddress = follow(m.UDPAddress, standard.UDPAddress, c.Listen)
		m.TCPAddress = follow(m.TCPAddress, standard.TCPAddress, c.Listen)
	}
	return m
}

// follow gives a default address the host that HTTP is served on. Media wants
// an address where HTTP takes a name as well.
func follow(address, standard, listen string) string {
	_, port, err := net.SplitHostPort(address)
	if address != standard || err != nil {
		return address
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return address
	}
	if at, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port)); err == nil && at.IP != nil {
		host = at.IP.String()
	}
	return net.JoinHostPort(host, port)
}

// cannotReceive says which port cannot be had, and why.
func cannotReceive(err error) error {
	var at *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &at) && at.Addr != nil:
		return fmt.Errorf("calls cannot be received on %s %s: %s", strings.ToUpper(strings.TrimRight(at.Net, "46")), at.Addr, plain(err))
	}
	return fmt.Errorf("calls cannot be received: %s", reason(err))
}

// replaced tells which port was asked for where e has another, as newEdge may
// choose; "" where it has that one.
func replaced(cfg Config, e *media.Edge) string {
	m, udp := cfg.mediaConfig(), e.UDPAddr()
	_, port, err := net.SplitHostPort(m.UDPAddress)
	if err != nil || udp == nil || port == "0" {
		return ""
	}
	if _, got, err := net.SplitHostPort(udp.String()); err != nil || got == port {
		return ""
	}
	return port
}

func anyPort(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return net.JoinHostPort(host, "0")
}

// portsOf names the ports of an edge for a person.
func portsOf(e *media.Edge) string {
	var ports []string
	if a := e.UDPAddr(); a != nil {
		ports = append(ports, "UDP "+a.String())
	}
	if a := e.TCPAddr(); a != nil {
		ports = append(ports, "TCP "+a.String())
	}
	return strings.Join(ports, " and ")
}

// traffic sums the counters of peers that have closed.
type traffic struct {
	packets, lost, recovered, concealed, refused, underruns, sent atomic.Uint64
}

func (t *traffic) add(s media.Stats) {
	t.packets.Add(s.In.Window.Received)
	t.lost.Add(s.In.Window.Lost)
	t.recovered.Add(s.In.Recovered)
	t.concealed.Add(s.In.Concealed)
	t.refused.Add(s.In.Flooded + s.In.Oversized + s.In.Alien)
	t.underruns.Add(s.Out.Underruns)
	t.sent.Add(s.Out.Packets)
}

// readings offers the sums as metrics, beside the number of live connections.
func (t *traffic) readings(e *media.Edge) []observe.Reading {
	counter := func(name, help string, v *atomic.Uint64) observe.Reading {
		return observe.Reading{Name: name, Help: help + " Of calls that are over.", Counter: true, Value: func() float64 { return float64(v.Load()) }}
	}
	return []observe.Reading{
		{Name: "parley_peer_connections", Help: "Peer connections that exist.", Value: func() float64 { return float64(e.Live()) }},
		counter("parley_rtp_received_packets_total", "RTP packets received.", &t.packets),
		counter("parley_rtp_lost_packets_total", "RTP packets that never came.", &t.lost),
		counter("parley_rtp_recovered_frames_total", "Frames rebuilt from in-band FEC.", &t.recovered),
		counter("parley_rtp_concealed_frames_total", "Frames invented in place of lost ones.", &t.concealed),
		counter("parley_rtp_refused_packets_total", "Packets over the budget, too large or not RTP.", &t.refused),
		counter("parley_rtp_sent_packets_total", "RTP packets sent.", &t.sent),
		counter("parley_playout_underruns_total", "Times a reply ran dry before its end.", &t.underruns),
	}
}
