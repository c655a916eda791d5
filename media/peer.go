package media

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"parley/audio"
	"parley/conversation"
	"parley/internal/fault"
	"parley/media/playout"
)

// State is how a peer's connection fares.
type State string

// The states. Failed is not the end: a new offer with an ICE restart may bring
// the connection back. Closed is.
const (
	StateNew          State = "new"
	StateConnecting   State = "connecting"
	StateConnected    State = "connected"
	StateDisconnected State = "disconnected" // nothing heard for 4 s; may come back by itself
	StateFailed       State = "failed"       // nothing heard for 12 s, or no way found
	StateClosed       State = "closed"
)

// Candidate is an address at which a peer may be reached, in the JSON form of
// RTCIceCandidateInit.
type Candidate struct {
	Candidate     string  `json:"candidate"`
	SDPMid        *string `json:"sdpMid,omitempty"`
	SDPMLineIndex *uint16 `json:"sdpMLineIndex,omitempty"`
	Ufrag         *string `json:"usernameFragment,omitempty"`
}

// Handler hears what a Peer has to tell. Its methods are called from the Peer's
// goroutines, each from one at a time but together with the others; they must
// not block and must not call Close.
type Handler interface {
	// Audio takes the next frame, 16 kHz mono; its PCM is lent.
	Audio(audio.Frame)
	// Message takes a text or binary message from the data channel; lent.
	Message([]byte)
	// ChannelOpen tells that the data channel opened or closed.
	ChannelOpen(open bool)
	// State tells of a change.
	State(State)
	// Candidate takes an address to tell the caller of; nil after the last.
	Candidate(*Candidate)
}

// Limits of a Peer.
const (
	gatherTimeout    = 5 * time.Second
	maxTrickled      = 64   // candidates from the caller, until an ICE restart
	maxCandidateText = 1024 // bytes
)

// Peer is one caller's connection.
type Peer struct {
	edge   *Edge
	h      Handler
	log    *slog.Logger
	pc     *webrtc.PeerConnection
	player *playout.Player
	in     intake
	events eventChannel
	rtt    atomic.Int64 // nanoseconds

	negotiate sync.Mutex // one offer at a time
	remote    remoteICE  // guarded by negotiate
	telling   sync.Mutex // held while the handler hears of a state or candidate
	state     State      // guarded by telling

	mu       sync.Mutex
	answered bool
	early    []Candidate // came before the offer
	trickled int
	closed   bool
	wg       sync.WaitGroup // every goroutine started here
	done     chan struct{}  // closed when Close is through
}

// NewPeer makes a connection that waits for an offer. Close it.
func (e *Edge) NewPeer(h Handler) (*Peer, error) {
	cert, err := e.certificate(time.Now())
	if err != nil {
		return nil, err
	}
	pc, err := e.api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{cert}})
	if err != nil {
		return nil, fmt.Errorf("media: new peer: %w", err)
	}
	p := &Peer{edge: e, h: h, log: e.log, pc: pc, state: StateNew, done: make(chan struct{})}
	if err := p.assemble(); err != nil {
		_ = pc.Close()
		return nil, err
	}
	if err := e.adopt(p); err != nil {
		p.state = StateClosed // the handler never knew it
		p.Close()
		return nil, err
	}
	return p, nil
}

// assemble adds the track replies go out on, and the callbacks.
func (p *Peer) assemble() error {
	// Without a stream id browsers give their track event no stream.
	track, err := webrtc.NewTrackLocalStaticRTP(opusCodec(), "voice", "parley")
	if err != nil {
		return fmt.Errorf("media: new track: %w", err)
	}
	sender, err := p.pc.AddTrack(track)
	if err != nil {
		return fmt.Errorf("media: add track: %w", err)
	}
	if err := p.in.init(p.h.Audio, p.sendReport(sender)); err != nil {
		return fmt.Errorf("media: new receiver: %w", err)
	}
	p.player = playout.New(track)
	p.pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		p.spawn(func() { p.in.receive(t) })
		p.spawn(func() { readRTCP(r, p.takeSenderReport) })
	})
	p.pc.OnDataChannel(p.onDataChannel)
	// Pion calls this from a goroutine for each change, which may overtake one
	// another: only the state that holds now counts.
	p.pc.OnConnectionStateChange(func(webrtc.PeerConnectionState) { p.tellState(State(p.pc.ConnectionState().String())) })
	p.pc.OnICECandidate(p.tellCandidate)
	p.spawn(func() {
		readRTCP(sender, func(q rtcp.Packet, now time.Time) { receiverReports(q, now, p.takeReport) })
	})
	return nil
}

// sendReport returns what sends a receiver report in the name of our stream.
func (p *Peer) sendReport(sender *webrtc.RTPSender) func(rtcp.ReceptionReport) {
	var ssrc uint32
	if e := sender.GetParameters().Encodings; len(e) > 0 {
		ssrc = uint32(e[0].SSRC)
	}
	return func(r rtcp.ReceptionReport) {
		rr := &rtcp.ReceiverReport{SSRC: ssrc, Reports: []rtcp.ReceptionReport{r}}
		_ = p.pc.WriteRTCP([]rtcp.Packet{rr}) // the next one makes up for it
	}
}

func (p *Peer) takeSenderReport(q rtcp.Packet, now time.Time) {
	if sr, ok := q.(*rtcp.SenderReport); ok {
		p.in.told(sr, now)
	}
}

func (p *Peer) takeReport(rtt time.Duration, lost float64) {
	p.rtt.Store(int64(rtt))
	if err := p.player.Report(rtt, lost); err != nil {
		p.log.Warn("the encoder does not follow the loss", "err", err)
	}
}

// spawn runs f in a goroutine that Close waits for, unless Close has begun.
func (p *Peer) spawn(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.wg.Go(f)
	}
}

// tellState tells the handler of a change. Closed is told once, and nothing
// after it.
func (p *Peer) tellState(s State) {
	p.telling.Lock()
	defer p.telling.Unlock()
	if p.state != s && p.state != StateClosed {
		p.state = s
		p.h.State(s)
	}
}

// tellCandidate tells the handler of an address of ours; nil after the last.
func (p *Peer) tellCandidate(c *webrtc.ICECandidate) {
	p.telling.Lock()
	defer p.telling.Unlock()
	if p.state == StateClosed {
		return
	}
	if c == nil {
		p.h.Candidate(nil)
		return
	}
	init := c.ToJSON()
	p.h.Candidate(&Candidate{init.Candidate, init.SDPMid, init.SDPMLineIndex, init.UsernameFragment})
}

// Answer takes an offer and returns the answer: the first, or a later one with
// an ICE restart. With trickle it returns at once, and the addresses come
// through Handler.Candidate; else it waits for them, at most 5 s, and the answer
// holds them all. Offers that cannot be used are fault.BadInput.
func (p *Peer) Answer(ctx context.Context, offer string, trickle bool) (string, error) {
	if err := checkOffer(offer); err != nil {
		return "", err
	}
	p.negotiate.Lock()
	defer p.negotiate.Unlock()
	restart, err := p.remote.take(offer)
	if err != nil {
		return "", err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		if p.isClosed() {
			return "", fault.Newf(fault.Canceled, "media: answer", "the peer is closed")
		}
		return "", fault.New(fault.BadInput, "media: read offer", err)
	}
	if restart {
		p.remote = newRemoteICE(offer)
	}
	p.flushEarly(restart)
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", fault.New(fault.BadInput, "media: create answer", err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", fault.New(fault.Failed, "media: set answer", err)
	}
	if trickle {
		return p.pc.LocalDescription().SDP, nil
	}
	ctx, cancel := context.WithTimeout(ctx, gatherTimeout)
	defer cancel()
	select {
	case <-gathered:
		return p.pc.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", fault.New(fault.KindOf(ctx.Err()), "media: gather candidates", ctx.Err())
	}
}

func (p *Peer) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// AddCandidate takes an address of the caller, before or after its offer. More
// than 64 are refused until an offer restarts ICE; names (mDNS) and addresses that no caller
// has are ignored: the caller is found by its own checks.
func (p *Peer) AddCandidate(c Candidate) error {
	if len(c.Candidate) > maxCandidateText {
		return fault.Newf(fault.BadInput, "media: add candidate", "candidate of %d bytes", len(c.Candidate))
	}
	if c.Candidate == "" || strings.Contains(c.Candidate, ".local ") {
		return nil
	}
	p.mu.Lock()
	p.trickled++
	if p.trickled > maxTrickled {
		p.mu.Unlock()
		return fault.Newf(fault.BadInput, "media: add candidate", "more than %d candidates", maxTrickled)
	}
	if !p.answered {
		p.early = append(p.early, c)
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	return p.addCandidate(c)
}

func (p *Peer) addCandidate(c Candidate) error {
	init := webrtc.ICECandidateInit{Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.Ufrag}
	if err := p.pc.AddICECandidate(init); err != nil {
		return fault.New(fault.BadInput, "media: add candidate", err)
	}
	return nil
}

// flushEarly adds the candidates that came before the offer, and begins a new
// count where the offer made those before void.
func (p *Peer) flushEarly(restart bool) {
	p.mu.Lock()
	early := p.early
	p.early, p.answered = nil, true
	if restart {
		p.trickled = 0
	}
	p.mu.Unlock()
	for _, c := range early {
		if err := p.addCandidate(c); err != nil {
			p.log.Debug("early candidate refused", "error", err)
		}
	}
}

// SendEvent sends a text message on the data channel. It never blocks: it fails
// where the channel is not open (ErrNoChannel) or the caller does not take what
// was sent before (fault.Overloaded).
func (p *Peer) SendEvent(message []byte) error { return p.events.send(message) }

// Speaker plays replies to this caller.
func (p *Peer) Speaker() conversation.Speaker { return speaker{p.player} }

// Close ends the connection and waits for every goroutine of the peer. It is
// idempotent; a second call waits for the first.
func (p *Peer) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.done
		return
	}
	p.closed = true
	p.mu.Unlock()
	p.player.Close()
	if err := p.pc.GracefulClose(); err != nil {
		p.log.Debug("close of a peer connection", "error", err)
	}
	p.events.close()
	p.wg.Wait()
	p.edge.forget(p)
	p.tellState(StateClosed)
	close(p.done)
}
