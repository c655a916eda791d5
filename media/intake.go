package media

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"golang.org/x/time/rate"

	"parley/audio"
)

// A caller sends 50 packets a second; this many are taken, the rest dropped.
const (
	packetRate  = 200
	packetBurst = 400
)

// intake reads a peer's incoming tracks. Its lock orders them where a caller
// replaces one by another.
type intake struct {
	mu       sync.Mutex
	receiver *Receiver
	reporter reporter
	report   func(rtcp.ReceptionReport) // sends one to the caller
	limit    *rate.Limiter

	countMu sync.Mutex // guards a copy, so that a Handler may ask for Stats
	counts  IntakeStats
}

// IntakeStats counts what a peer received.
type IntakeStats struct {
	ReceiverStats
	Flooded   uint64 // packets over the budget, dropped
	Oversized uint64 // packets over 1500 bytes, dropped
	Alien     uint64 // packets that are not RTP, or not of the agreed type, dropped
}

func (in *intake) init(emit func(audio.Frame), report func(rtcp.ReceptionReport)) (err error) {
	in.report = report
	in.limit = rate.NewLimiter(packetRate, packetBurst)
	in.receiver, err = NewReceiver(emit)
	return err
}

// inTrack is what intake needs of a webrtc.TrackRemote.
type inTrack interface {
	Read([]byte) (int, interceptor.Attributes, error)
	SetReadDeadline(time.Time) error
	PayloadType() webrtc.PayloadType
}

// receive reads a track until it ends; between packets it keeps the receiver's
// time with read deadlines.
func (in *intake) receive(t inTrack) {
	buf := make([]byte, packetBytes)
	var packet rtp.Packet
	var armed time.Time
	for {
		if d := in.deadline(); !d.Equal(armed) {
			if err := t.SetReadDeadline(d); err != nil {
				return
			}
			armed = d
		}
		n, _, err := t.Read(buf)
		now := time.Now()
		var timeout net.Error
		switch {
		case err == nil:
			in.take(&packet, buf[:n], now, uint8(t.PayloadType()))
		case errors.Is(err, io.ErrShortBuffer):
			in.count(func(c *IntakeStats) { c.Oversized++ })
		case errors.As(err, &timeout) && timeout.Timeout():
			in.tick(now)
		default:
			return
		}
	}
}

func (in *intake) deadline() time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.receiver.Deadline()
}

func (in *intake) tick(now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.receiver.Tick(now)
	in.publish()
}

// take parses data into packet and gives it to the receiver.
func (in *intake) take(packet *rtp.Packet, data []byte, now time.Time, payloadType uint8) {
	if !in.limit.AllowN(now, 1) {
		in.count(func(c *IntakeStats) { c.Flooded++ })
		return
	}
	if err := packet.Unmarshal(data); err != nil || packet.PayloadType != payloadType {
		in.count(func(c *IntakeStats) { c.Alien++ })
		return
	}
	if report, due := in.push(packet, now); due {
		in.report(report)
	}
}

func (in *intake) push(packet *rtp.Packet, now time.Time) (rtcp.ReceptionReport, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reporter.observe(packet.SSRC, packet.SequenceNumber, now)
	in.receiver.Push(packet, now)
	in.publish()
	return in.reporter.due(in.receiver.jitter.estimate, now)
}

// told takes the caller's report about its own stream.
func (in *intake) told(sr *rtcp.SenderReport, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reporter.told(sr, now)
}

func (in *intake) publish() {
	s := in.receiver.Stats()
	in.count(func(c *IntakeStats) { c.ReceiverStats = s })
}

func (in *intake) count(f func(*IntakeStats)) {
	in.countMu.Lock()
	defer in.countMu.Unlock()
	f(&in.counts)
}

func (in *intake) stats() IntakeStats {
	in.countMu.Lock()
	defer in.countMu.Unlock()
	return in.counts
}
