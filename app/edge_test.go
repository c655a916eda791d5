package app

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	"parley/media"
)

func TestMediaFollowsHTTP(t *testing.T) {
	const standard = "127.0.0.1:8189"
	tests := map[string]struct{ listen, udp, tcp, wantUDP, wantTCP string }{
		"loopback":          {"127.0.0.1:8080", standard, standard, standard, standard},
		"localhost":         {"localhost:8080", standard, standard, standard, standard},
		"loopback, IPv6":    {"[::1]:8080", standard, standard, standard, standard},
		"all":               {"0.0.0.0:8080", standard, standard, "0.0.0.0:8189", "0.0.0.0:8189"},
		"all, unsaid":       {":8080", standard, standard, ":8189", ":8189"},
		"all, IPv6":         {"[::]:8080", standard, standard, "[::]:8189", "[::]:8189"},
		"one address":       {"192.0.2.7:80", standard, standard, "192.0.2.7:8189", "192.0.2.7:8189"},
		"media set":         {"0.0.0.0:8080", "192.0.2.7:4000", "192.0.2.7:4001", "192.0.2.7:4000", "192.0.2.7:4001"},
		"one of them set":   {"0.0.0.0:8080", "192.0.2.7:4000", standard, "192.0.2.7:4000", "0.0.0.0:8189"},
		"TCP off":           {"0.0.0.0:8080", standard, "", "0.0.0.0:8189", ""},
		"media on loopback": {"0.0.0.0:8080", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig()
			c.Listen, c.Media.UDPAddress, c.Media.TCPAddress = test.listen, test.udp, test.tcp
			m := c.mediaConfig()
			if m.UDPAddress != test.wantUDP || m.TCPAddress != test.wantTCP {
				t.Errorf("got %q and %q, want %q and %q", m.UDPAddress, m.TCPAddress, test.wantUDP, test.wantTCP)
			}
			if err := m.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
	// A name is as good as its address.
	if got := follow(standard, standard, "localhost:8080"); got != standard && got != "[::1]:8189" {
		t.Errorf("localhost is %q", got)
	}
}

func TestLoopback(t *testing.T) {
	for listen, want := range map[string]bool{
		DefaultConfig().Listen: true, "localhost:1": true, "127.9.9.9:1": true, "[::1]:1": true,
		"0.0.0.0:1": false, ":1": false, "[::]:1": false, "192.0.2.1:1": false, "localhost.example:1": false, "nonsense": false,
	} {
		c := DefaultConfig()
		c.Listen = listen
		if c.Loopback() != want {
			t.Errorf("%q: got %v", listen, !want)
		}
	}
}

// take holds both default media ports, if something else does not hold them already.
func take(t *testing.T) {
	t.Helper()
	c := media.DefaultConfig()
	if p, err := net.ListenPacket("udp", c.UDPAddress); err == nil {
		t.Cleanup(func() { p.Close() })
	}
	if l, err := net.Listen("tcp", c.TCPAddress); err == nil {
		t.Cleanup(func() { l.Close() })
	}
}

func TestDefaultMediaPortTaken(t *testing.T) {
	take(t)
	var log bytes.Buffer
	edge, err := newEdge(DefaultConfig(), media.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer edge.Close()
	ports := portsOf(edge)
	if !strings.HasPrefix(ports, "UDP 127.0.0.1:") || !strings.Contains(ports, " and TCP 127.0.0.1:") || strings.Contains(ports, ":8189") {
		t.Errorf("calls are received on %s", ports)
	}
	if got := replaced(DefaultConfig(), edge); got != "8189" {
		t.Errorf("replaced: %q", got)
	}
	if !strings.Contains(log.String(), "the default media port is taken") {
		t.Errorf("the log does not say so: %s", log.String())
	}
}

// Others may reach the default port only: no other will do.
func TestDefaultMediaPortTakenFromOthers(t *testing.T) {
	c := DefaultConfig()
	c.Listen = "0.0.0.0:0"
	take(t)
	edge, err := newEdge(c, media.Options{})
	if err == nil {
		edge.Close()
	}
	if err = cannotReceive(err); err == nil || !strings.Contains(err.Error(), ":8189: address already in use") {
		t.Errorf("got %v", err)
	}
}

// A port that was asked for is not replaced by another.
func TestMediaPortTaken(t *testing.T) {
	p, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := DefaultConfig()
	c.Media.UDPAddress, c.Media.TCPAddress = p.LocalAddr().String(), "127.0.0.1:0"
	_, err = newEdge(c, media.Options{})
	want := "calls cannot be received on UDP " + p.LocalAddr().String() + ": address already in use"
	if err = cannotReceive(err); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestTraffic(t *testing.T) {
	edge, err := media.NewEdge(media.Config{UDPAddress: "127.0.0.1:0"}, media.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer edge.Close()
	var s media.Stats
	s.In.Window.Received, s.In.Window.Lost, s.In.Recovered, s.In.Concealed = 1, 2, 3, 4
	s.In.Flooded, s.In.Oversized, s.In.Alien, s.Out.Underruns, s.Out.Packets = 5, 6, 7, 8, 9
	var sum traffic
	sum.add(s)
	sum.add(s)
	got := map[string]float64{}
	for _, r := range sum.readings(edge) {
		got[r.Name] = r.Value()
	}
	for name, want := range map[string]float64{
		"parley_peer_connections": 0, "parley_rtp_received_packets_total": 2, "parley_rtp_lost_packets_total": 4,
		"parley_rtp_recovered_frames_total": 6, "parley_rtp_concealed_frames_total": 8, "parley_rtp_refused_packets_total": 36,
		"parley_rtp_sent_packets_total": 18, "parley_playout_underruns_total": 16,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s: got %v (%v), want %v", name, v, ok, want)
		}
	}
	if ports := portsOf(edge); !strings.HasPrefix(ports, "UDP 127.0.0.1:") || strings.Contains(ports, "TCP") {
		t.Errorf("ports: %s", ports)
	}
}
