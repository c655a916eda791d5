package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Config says where an Edge meets callers.
type Config struct {
	// UDPAddress is the one UDP port for all calls, "host:port"; "" disables UDP.
	UDPAddress string `koanf:"udp_address" yaml:"udp_address"`
	// TCPAddress is the one TCP port for callers whose network drops UDP (ICE-TCP,
	// RFC 6544); "" disables it.
	TCPAddress string `koanf:"tcp_address" yaml:"tcp_address"`
	// AdvertisedAddresses replace the machine's own IP addresses in what callers
	// are told, where the machine cannot see the address it is reached at
	// (containers, 1:1 NAT).
	AdvertisedAddresses []string `koanf:"advertised_addresses" yaml:"advertised_addresses"`
}

// DefaultConfig serves callers on this machine only.
func DefaultConfig() Config {
	return Config{UDPAddress: "127.0.0.1:8189", TCPAddress: "127.0.0.1:8189"}
}

// Validate finds what cannot work.
func (c Config) Validate() error {
	var errs []error
	if c.UDPAddress == "" && c.TCPAddress == "" {
		errs = append(errs, errors.New("media: udp_address and tcp_address are both empty: callers could not connect"))
	}
	for name, address := range map[string]string{"udp_address": c.UDPAddress, "tcp_address": c.TCPAddress} {
		if address == "" {
			continue
		}
		if _, err := listenAddr(address); err != nil {
			errs = append(errs, fmt.Errorf("media: %s: %w", name, err))
		}
	}
	for _, a := range c.AdvertisedAddresses {
		ip, err := netip.ParseAddr(a)
		if err != nil || ip.IsUnspecified() || ip.IsMulticast() {
			errs = append(errs, fmt.Errorf("media: advertised_addresses: %q is not an IP address callers can reach", a))
		}
	}
	return errors.Join(errs...)
}

// listenAddr parses "host:port" where host is an IP address or empty (all).
func listenAddr(address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is not host:port", address)
	}
	switch host {
	case "":
		host = "0.0.0.0"
	case "localhost":
		host = "127.0.0.1"
	}
	ap, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q: the host must be an IP address, the port a number", address)
	}
	return ap, nil
}
