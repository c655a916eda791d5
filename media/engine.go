package media

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/sdp/v3"
	"github.com/pion/transport/v5/packetio"
	"github.com/pion/webrtc/v4"
)

// Connection settings. A client that vanishes without a word is freed after
// iceDisconnected + iceFailed, 12 s; the DTLS timer repairs setup under loss,
// which it can because the server takes the DTLS client's role.
const (
	iceDisconnected = 4 * time.Second
	iceFailed       = 8 * time.Second
	iceKeepalive    = 2 * time.Second
	dtlsTimer       = 100 * time.Millisecond

	packetBytes     = 1500    // larger packets are dropped
	socketBuffer    = 1 << 20 // holds what all calls send in some 100 ms of stalled process
	streamBuffer    = 64 << 10
	eventBytes      = 16 << 10 // largest message on the data channel
	sctpWindow      = 128 << 10
	opusPayloadType = 111
)

// opusCodec is what parley offers of RFC 7587: in-band FEC wanted, no DTX asked for.
func opusCodec() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
		SDPFmtpLine: "minptime=10;useinbandfec=1",
	}
}

// newAPI assembles pion with what audio needs and nothing else: of the
// interceptors, only sender reports (see reporter for the others).
func newAPI(s webrtc.SettingEngine) (*webrtc.API, error) {
	m := &webrtc.MediaEngine{}
	codec := webrtc.RTPCodecParameters{RTPCodecCapability: opusCodec(), PayloadType: opusPayloadType}
	if err := m.RegisterCodec(codec, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, fmt.Errorf("media: register Opus: %w", err)
	}
	mid := webrtc.RTPHeaderExtensionCapability{URI: sdp.SDESMidURI}
	if err := m.RegisterHeaderExtension(mid, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, fmt.Errorf("media: register mid: %w", err)
	}
	i := &interceptor.Registry{}
	sender, err := report.NewSenderInterceptor(report.WithSenderLoggerFactory(s.LoggerFactory))
	if err != nil {
		return nil, fmt.Errorf("media: sender reports: %w", err)
	}
	i.Add(sender)
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(i), webrtc.WithSettingEngine(s)), nil
}

// baseSettings are the settings that no configuration changes.
func baseSettings() (webrtc.SettingEngine, error) {
	var s webrtc.SettingEngine
	s.SetICETimeouts(iceDisconnected, iceFailed, iceKeepalive)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.DisableActiveTCP(true) // never dial an address that a caller names
	s.SetDTLSRetransmissionInterval(dtlsTimer)
	s.SetReceiveMTU(packetBytes)
	s.SetSCTPMaxMessageSize(eventBytes)
	s.SetSCTPMaxReceiveBufferSize(sctpWindow)
	s.DetachDataChannels()
	s.BufferFactory = newStreamBuffer
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleClient); err != nil {
		return s, fmt.Errorf("media: DTLS role: %w", err)
	}
	return s, nil
}

// advertise makes callers see these addresses instead of the machine's own.
func advertise(s *webrtc.SettingEngine, addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	err := s.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{
		External: addresses, AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace,
	})
	if err != nil {
		return fmt.Errorf("media: advertised addresses: %w", err)
	}
	return nil
}

// networkTypes are the kinds of candidate that fit the listening addresses.
func networkTypes(udp, tcp netip.AddrPort) (types []webrtc.NetworkType) {
	add := func(ap netip.AddrPort, v4, v6 webrtc.NetworkType) {
		if !ap.IsValid() {
			return
		}
		if ap.Addr().Is4() || ap.Addr().IsUnspecified() {
			types = append(types, v4)
		}
		if ap.Addr().Is6() {
			types = append(types, v6)
		}
	}
	add(udp, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6)
	add(tcp, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	return types
}

// advertisesLoopback tells whether callers on this machine are told to come
// over loopback although the ports are open to more.
func advertisesLoopback(cfg Config) bool {
	for _, a := range cfg.AdvertisedAddresses {
		if ip, err := netip.ParseAddr(a); err == nil && ip.IsLoopback() {
			return true
		}
	}
	return false
}

// metadataAddresses answer inside clouds and are no caller's; the usual one is
// link-local and needs no entry.
func metadataAddresses() []netip.Addr {
	return []netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16"),
	}
}

// remoteFilter tells which of a caller's addresses packets may be sent to.
func remoteFilter(allowLoopback bool) func(net.IP) bool {
	metadata := metadataAddresses()
	return func(ip net.IP) bool {
		a, ok := netip.AddrFromSlice(ip)
		if !ok {
			return false
		}
		a = a.Unmap()
		for _, m := range metadata {
			if a == m {
				return false
			}
		}
		switch {
		case a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			return false
		case a.IsLoopback():
			return allowLoopback
		}
		return true
	}
}

// streamBuf bounds what waits between the network and the goroutine that reads
// a stream; more is dropped. Pion's own bound is 1 MB for each stream.
type streamBuf struct{ *packetio.Buffer }

func newStreamBuffer(packetio.BufferPacketType, uint32) io.ReadWriteCloser {
	b := streamBuf{packetio.NewBuffer()}
	b.SetLimitSize(streamBuffer)
	return b
}

func (b streamBuf) Read(p []byte) (int, error) {
	n, _, err := b.Buffer.Read(p, nil)
	return n, err
}

func (b streamBuf) Write(p []byte) (int, error) { return b.Buffer.Write(p, nil) }

// ReadWithAttributes and WriteWithAttributes keep what pion notes about packets.
func (b streamBuf) ReadWithAttributes(p []byte, attrs packetio.Attributes) (int, packetio.Attributes, error) {
	return b.Buffer.Read(p, attrs)
}

func (b streamBuf) WriteWithAttributes(p []byte, attrs packetio.Attributes) (int, error) {
	return b.Buffer.Write(p, attrs)
}
