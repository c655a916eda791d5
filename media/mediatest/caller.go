package mediatest

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5"
	"github.com/pion/webrtc/v4"

	"parley/media/opus"
)

// CallerOptions set a Caller up. The zero value is a caller on this machine's
// loopback, over UDP.
type CallerOptions struct {
	Net    transport.Net // nil is the machine's network
	Listen string        // UDP address; "" is CallerIP:0 on a virtual network, else 127.0.0.1:0
	Impair Impairment    // of what the caller sends; nil passes everything
	TCP    bool          // connect over ICE-TCP only
	NoMic  bool          // listen only
}

// Heard is an RTP packet that a Caller received.
type Heard struct {
	At      time.Time
	Header  rtp.Header
	Payload []byte
}

// Caller is the browser's side of a call.
type Caller struct {
	PC     *webrtc.PeerConnection
	Events *webrtc.DataChannel

	tb        testing.TB
	mic       *webrtc.TrackLocalStaticRTP
	mux       *ice.UDPMuxDefault
	connected chan struct{}
	opened    chan struct{}
	wg        sync.WaitGroup

	mu       sync.Mutex
	stream   string
	told     int
	heard    []Heard
	messages []string
	next     rtp.Header
	enc      *opus.Encoder
}

// NewCaller makes a caller with a microphone and the data channel
// "oai-events". Close it.
func NewCaller(tb testing.TB, o CallerOptions) *Caller {
	tb.Helper()
	c := &Caller{tb: tb, connected: make(chan struct{}), opened: make(chan struct{})}
	s := webrtc.SettingEngine{LoggerFactory: &logging.DefaultLoggerFactory{Writer: tb.Output()}}
	c.attach(&s, o)
	m := &webrtc.MediaEngine{}
	check(tb, m.RegisterDefaultCodecs())
	i := &interceptor.Registry{}
	check(tb, webrtc.ConfigureRTCPReports(i))
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(i))
	var err error
	c.PC, err = api.NewPeerConnection(webrtc.Configuration{})
	check(tb, err)
	c.enc, err = opus.NewEncoder(opus.DecodeRate)
	check(tb, err)
	check(tb, c.enc.ExpectLoss(10)) // as browsers do where FEC was negotiated
	c.next = rtp.Header{Version: 2, SequenceNumber: 65530, Timestamp: 1<<32 - 9600}
	c.wire(o)
	return c
}

// attach sets the network up.
func (c *Caller) attach(s *webrtc.SettingEngine, o CallerOptions) {
	listen := o.Listen
	if listen == "" && o.Net != nil {
		listen = CallerIP + ":0"
	} else if listen == "" {
		listen = "127.0.0.1:0"
	}
	if o.Net != nil {
		s.SetNet(o.Net)
	}
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if o.TCP {
		s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
		return
	}
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	open := net.ListenPacket
	if o.Net != nil {
		open = o.Net.ListenPacket
	}
	conn, err := open("udp4", listen)
	check(c.tb, err)
	if o.Impair != nil {
		conn = &impaired{PacketConn: conn, judge: o.Impair}
	}
	c.mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Net: o.Net})
	s.SetICEUDPMux(c.mux)
}

// wire adds the tracks, the channel and the callbacks.
func (c *Caller) wire(o CallerOptions) {
	var err error
	if o.NoMic {
		_, err = c.PC.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio,
			webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		check(c.tb, err)
	} else {
		codec := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
		c.mic, err = webrtc.NewTrackLocalStaticRTP(codec, "mic", "caller")
		check(c.tb, err)
		sender, err := c.PC.AddTrack(c.mic)
		check(c.tb, err)
		c.wg.Go(func() { c.readReports(sender) })
	}
	c.Events, err = c.PC.CreateDataChannel("oai-events", nil)
	check(c.tb, err)
	c.Events.OnOpen(func() { close(c.opened) })
	c.Events.OnMessage(func(m webrtc.DataChannelMessage) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.messages = append(c.messages, string(m.Data))
	})
	var once sync.Once
	c.PC.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(c.connected) })
		}
	})
	c.PC.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		c.wg.Go(func() { c.listen(t) })
		c.wg.Go(func() { drain(r) })
	})
}

// readReports keeps what the server reports about the microphone's packets.
func (c *Caller) readReports(s *webrtc.RTPSender) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if rr, ok := p.(*rtcp.ReceiverReport); ok && len(rr.Reports) > 0 {
				c.mu.Lock()
				c.told = int(rr.Reports[0].TotalLost)
				c.mu.Unlock()
			}
		}
	}
}

// ToldLost is the number of lost packets in the server's last receiver report.
func (c *Caller) ToldLost() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}

func drain(r interface {
	Read([]byte) (int, interceptor.Attributes, error)
}) {
	buf := make([]byte, 1500)
	for {
		if _, _, err := r.Read(buf); err != nil {
			return
		}
	}
}

func (c *Caller) listen(t *webrtc.TrackRemote) {
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.stream = t.StreamID()
		c.heard = append(c.heard, Heard{time.Now(), p.Header, p.Payload})
		c.mu.Unlock()
	}
}

// Call exchanges an offer, with all addresses in it, for answer's answer, and
// waits until the call is up and the data channel open, at most 20 s.
func (c *Caller) Call(answer func(offer string) (string, error)) {
	c.tb.Helper()
	c.Negotiate(nil, answer)
	deadline := time.After(20 * time.Second)
	for what, ready := range map[string]chan struct{}{"connected": c.connected, "a data channel": c.opened} {
		select {
		case <-ready:
		case <-deadline:
			c.tb.Fatalf("not %s after 20 s", what)
		}
	}
}

// Negotiate exchanges an offer for answer's answer, and does not wait.
func (c *Caller) Negotiate(o *webrtc.OfferOptions, answer func(offer string) (string, error)) {
	c.tb.Helper()
	offer, err := c.PC.CreateOffer(o)
	check(c.tb, err)
	gathered := webrtc.GatheringCompletePromise(c.PC)
	check(c.tb, c.PC.SetLocalDescription(offer))
	<-gathered
	sdp, err := answer(c.PC.LocalDescription().SDP)
	check(c.tb, err)
	check(c.tb, c.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}))
}

// Say sends 16 kHz mono PCM as a microphone would: a packet every 20 ms, with
// in-band FEC. It returns as the last packet leaves; successive calls 20 ms
// apart make one stream.
func (c *Caller) Say(pcm []int16) error {
	n := c.enc.FrameSamples()
	start := time.Now()
	for i := 0; (i+1)*n <= len(pcm); i++ {
		time.Sleep(time.Until(start.Add(time.Duration(i) * 20 * time.Millisecond)))
		buf := make([]byte, opus.MaxPacketBytes)
		size, err := c.enc.Encode(pcm[i*n:(i+1)*n], buf)
		if err != nil {
			return fmt.Errorf("mediatest: say: %w", err)
		}
		if err := c.Send(buf[:size], 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// Send sends one Opus packet of length d.
func (c *Caller) Send(payload []byte, d time.Duration) error {
	c.mu.Lock()
	h := c.next
	c.next.SequenceNumber++
	c.next.Timestamp += uint32(opus.Timestamp(d))
	c.mu.Unlock()
	if err := c.mic.WriteRTP(&rtp.Packet{Header: h, Payload: payload}); err != nil {
		return fmt.Errorf("mediatest: send: %w", err)
	}
	return nil
}

// Heard returns the packets received so far.
func (c *Caller) Heard() []Heard {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Heard(nil), c.heard...)
}

// Stream is the id of the stream that the replies came on.
func (c *Caller) Stream() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stream
}

// Messages returns what came on the data channel so far.
func (c *Caller) Messages() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.messages...)
}

// Close ends the call and waits for the caller's goroutines.
func (c *Caller) Close() {
	if err := c.PC.GracefulClose(); err != nil {
		c.tb.Errorf("mediatest: close: %v", err)
	}
	c.wg.Wait()
	if c.mux != nil {
		_ = c.mux.Close()
	}
}
