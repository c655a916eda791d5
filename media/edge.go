package media

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"

	"parley/internal/fault"
)

// Options are what an Edge is given beside its configuration. The zero value
// works.
type Options struct {
	Log *slog.Logger
	// Net is the network; nil is the machine's. Tests put a virtual one here.
	Net transport.Net
}

// Edge is what all calls share. NewEdge listens; Close ends every call.
type Edge struct {
	log *slog.Logger
	api *webrtc.API
	udp *ice.UDPMuxDefault
	tcp *ice.TCPMuxDefault

	mu     sync.Mutex
	cert   *webrtc.Certificate
	peers  map[*Peer]struct{}
	closed bool
}

// NewEdge opens the ports in cfg.
func NewEdge(cfg Config, o Options) (*Edge, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fault.New(fault.Misconfigured, "media: new edge", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Net == nil {
		n, err := stdnet.NewNet()
		if err != nil {
			return nil, fmt.Errorf("media: new edge: %w", err)
		}
		o.Net = n
	}
	e := &Edge{log: o.Log, peers: map[*Peer]struct{}{}}
	if err := e.listen(cfg, o); err != nil {
		_ = e.closePorts()
		return nil, err
	}
	if err := e.configure(cfg, o); err != nil {
		_ = e.closePorts()
		return nil, err
	}
	return e, nil
}

// listen opens the UDP and TCP ports.
func (e *Edge) listen(cfg Config, o Options) error {
	if cfg.UDPAddress != "" {
		at, _ := listenAddr(cfg.UDPAddress) // Validate has checked it
		conn, err := o.Net.ListenPacket(network("udp", at), at.String())
		if err != nil {
			return fault.Newf(fault.Misconfigured, "media: listen", "udp %s: %w", at, err)
		}
		if c, ok := conn.(interface{ SetReadBuffer(int) error }); ok {
			_ = c.SetReadBuffer(socketBuffer) // the system's own limit stands where it is lower
		}
		e.udp = ice.NewUDPMuxDefault(ice.UDPMuxParams{
			UDPConn: conn, Net: o.Net, Logger: newPionLogs(o.Log).NewLogger("udp"),
		})
	}
	if cfg.TCPAddress != "" {
		at, _ := listenAddr(cfg.TCPAddress)
		l, err := o.Net.ListenTCP(network("tcp", at), net.TCPAddrFromAddrPort(at))
		if err != nil {
			return fault.Newf(fault.Misconfigured, "media: listen", "tcp %s: %w", at, err)
		}
		e.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener: l, Logger: newPionLogs(o.Log).NewLogger("tcp"),
			ReadBufferSize: 64, WriteBufferSize: 256 << 10, // packets; bytes
			FirstStunBindTimeout: 5 * time.Second, AliveDurationForConnFromStun: 10 * time.Second,
		})
	}
	return nil
}

// network names the address family with the protocol, as the empty host means
// all of IPv4 here and would mean both to the net package.
func network(proto string, at netip.AddrPort) string {
	if at.Addr().Is4() {
		return proto + "4"
	}
	return proto
}

// configure makes the pion API that all peers are built with.
func (e *Edge) configure(cfg Config, o Options) error {
	s, err := baseSettings()
	if err != nil {
		return err
	}
	s.LoggerFactory = newPionLogs(o.Log)
	s.SetNet(o.Net)
	var udp, tcp netip.AddrPort
	if e.udp != nil {
		udp, _ = netip.ParseAddrPort(e.udp.LocalAddr().String())
		s.SetICEUDPMux(e.udp)
	}
	if e.tcp != nil {
		tcp, _ = netip.ParseAddrPort(e.tcp.LocalAddr().String())
		s.SetICETCPMux(e.tcp)
	}
	s.SetNetworkTypes(networkTypes(udp, tcp))
	// A mux on a loopback address without this yields no candidate, silently.
	loopback := udp.IsValid() && udp.Addr().IsLoopback() || tcp.IsValid() && tcp.Addr().IsLoopback()
	s.SetIncludeLoopbackCandidate(loopback)
	s.SetRemoteIPFilter(remoteFilter(loopback || advertisesLoopback(cfg)))
	if err := advertise(&s, cfg.AdvertisedAddresses); err != nil {
		return err
	}
	e.api, err = newAPI(s)
	return err
}

// UDPAddr and TCPAddr are the addresses listened on; nil where there is none.
func (e *Edge) UDPAddr() net.Addr {
	if e.udp == nil {
		return nil
	}
	return e.udp.LocalAddr()
}

// TCPAddr is the address of the ICE-TCP port; nil where there is none.
func (e *Edge) TCPAddr() net.Addr {
	if e.tcp == nil {
		return nil
	}
	return e.tcp.LocalAddr()
}

// Live is the number of peer connections that exist now.
func (e *Edge) Live() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.peers)
}

// certificate returns the one ECDSA certificate of all peers, which callers
// know by its fingerprint only; a new one where it is about to expire.
func (e *Edge) certificate(now time.Time) (webrtc.Certificate, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cert == nil || e.cert.Expires().Before(now.Add(48*time.Hour)) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return webrtc.Certificate{}, fmt.Errorf("media: certificate: %w", err)
		}
		cert, err := webrtc.GenerateCertificate(key)
		if err != nil {
			return webrtc.Certificate{}, fmt.Errorf("media: certificate: %w", err)
		}
		e.cert = cert
	}
	return *e.cert, nil
}

// adopt and forget keep the set of live peers.
func (e *Edge) adopt(p *Peer) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return fault.Newf(fault.Overloaded, "media: new peer", "the edge is closed")
	}
	e.peers[p] = struct{}{}
	return nil
}

func (e *Edge) forget(p *Peer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.peers, p)
}

// Close closes every peer, then the ports. It waits, and is idempotent.
func (e *Edge) Close() error {
	e.mu.Lock()
	e.closed = true
	peers := make([]*Peer, 0, len(e.peers))
	for p := range e.peers {
		peers = append(peers, p)
	}
	e.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range peers {
		wg.Go(p.Close)
	}
	wg.Wait()
	return e.closePorts()
}

func (e *Edge) closePorts() error {
	var errs []error
	if e.udp != nil {
		errs = append(errs, e.udp.Close())
	}
	if e.tcp != nil {
		if err := e.tcp.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
