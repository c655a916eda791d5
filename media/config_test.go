package media

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"parley/internal/fault"
)

func TestConfigValidate(t *testing.T) {
	with := func(edit func(*Config)) Config {
		c := DefaultConfig()
		edit(&c)
		return c
	}
	for _, c := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"the default", DefaultConfig(), ""},
		{"all interfaces", with(func(c *Config) { c.UDPAddress, c.TCPAddress = ":8189", "[::]:8189" }), ""},
		{"localhost, UDP only", with(func(c *Config) { c.UDPAddress, c.TCPAddress = "localhost:0", "" }), ""},
		{"nothing", Config{}, "could not connect"},
		{"no port", with(func(c *Config) { c.UDPAddress = "127.0.0.1" }), "udp_address"},
		{"a name", with(func(c *Config) { c.TCPAddress = "example.org:1" }), "tcp_address"},
		{"advertised name", with(func(c *Config) { c.AdvertisedAddresses = []string{"example.org"} }), "advertised_addresses"},
		{"advertised nowhere", with(func(c *Config) { c.AdvertisedAddresses = []string{"0.0.0.0"} }), "advertised_addresses"},
		{"advertised", with(func(c *Config) { c.AdvertisedAddresses = []string{"203.0.113.7", "2001:db8::7"} }), ""},
	} {
		err := c.cfg.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestNewEdgeSaysWhatIsWrong(t *testing.T) {
	if _, err := NewEdge(Config{}, Options{}); fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("an empty configuration: %v", err)
	}
	taken := loopbackEdge(t, Config{UDPAddress: "127.0.0.1:0", TCPAddress: "127.0.0.1:0"})
	for _, cfg := range []Config{
		{UDPAddress: taken.UDPAddr().String()},
		{UDPAddress: "127.0.0.1:0", TCPAddress: taken.TCPAddr().String()},
	} {
		_, err := NewEdge(cfg, Options{})
		if fault.KindOf(err) != fault.Misconfigured || !strings.Contains(err.Error(), "in use") {
			t.Errorf("a port that is taken: %v", err)
		}
	}
}

func TestRemoteFilter(t *testing.T) {
	open, local := remoteFilter(false), remoteFilter(true)
	for ip, want := range map[string][2]bool{
		"192.0.2.1": {true, true}, "10.1.2.3": {true, true}, "2001:db8::1": {true, true}, "fd00::1": {true, true},
		"127.0.0.1": {false, true}, "::1": {false, true}, "::ffff:127.0.0.1": {false, true},
		"169.254.169.254": {}, "169.254.1.1": {}, "fe80::1": {}, "224.0.0.1": {}, "ff02::1": {}, "0.0.0.0": {}, "::": {},
		"255.255.255.255": {}, "fd00:ec2::254": {}, "100.100.100.200": {}, "168.63.129.16": {}, "::ffff:169.254.169.254": {},
	} {
		parsed := net.ParseIP(ip)
		if got := [2]bool{open(parsed), local(parsed)}; got != want {
			t.Errorf("%s: %v, want %v", ip, got, want)
		}
	}
	if open(net.IP{1, 2}) {
		t.Error("two bytes are an address")
	}
}

func TestNetworkTypes(t *testing.T) {
	at := netip.MustParseAddrPort
	for _, c := range []struct {
		udp, tcp netip.AddrPort
		want     []webrtc.NetworkType
	}{
		{at("127.0.0.1:1"), at("127.0.0.1:1"), []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4}},
		{at("0.0.0.0:1"), netip.AddrPort{}, []webrtc.NetworkType{webrtc.NetworkTypeUDP4}},
		{at("[::]:1"), netip.AddrPort{}, []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}},
		{netip.AddrPort{}, at("[2001:db8::1]:1"), []webrtc.NetworkType{webrtc.NetworkTypeTCP6}},
	} {
		if got := networkTypes(c.udp, c.tcp); !slices.Equal(got, c.want) {
			t.Errorf("%v, %v: %v, want %v", c.udp, c.tcp, got, c.want)
		}
	}
}
