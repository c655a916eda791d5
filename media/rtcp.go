package media

import (
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"golang.org/x/time/rate"
)

// Reports come about once a second; more than this are not looked at.
const (
	reportRate  = 50
	reportBurst = 50
)

// rtcpReader is what is read of a webrtc.RTPSender or RTPReceiver.
type rtcpReader interface {
	Read([]byte) (int, interceptor.Attributes, error)
}

// readRTCP reads a stream's RTCP until it ends, and hands on the packets.
func readRTCP(r rtcpReader, take func(p rtcp.Packet, now time.Time)) {
	buf, limit := make([]byte, packetBytes), rate.NewLimiter(reportRate, reportBurst)
	for {
		n, _, err := r.Read(buf)
		if err != nil {
			return
		}
		now := time.Now()
		if !limit.AllowN(now, 1) {
			continue
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			take(p, now)
		}
	}
}

// receiverReports hands on, from each report about our stream, the round-trip
// time that follows from it and the share of packets that were lost.
func receiverReports(p rtcp.Packet, now time.Time, take func(rtt time.Duration, lost float64)) {
	for _, rep := range reportsIn(p) {
		if rtt, ok := roundTrip(rep, now); ok {
			take(rtt, float64(rep.FractionLost)/256)
		}
	}
}

func reportsIn(p rtcp.Packet) []rtcp.ReceptionReport {
	switch p := p.(type) {
	case *rtcp.ReceiverReport:
		return p.Reports
	case *rtcp.SenderReport:
		return p.Reports
	}
	return nil
}

// maxRoundTrip is more than any that is worth believing.
const maxRoundTrip = 5 * time.Second

// roundTrip computes the round-trip time from a reception report (RFC 3550
// §6.4.1: now - LSR - DLSR, in units of 1/65536 s).
func roundTrip(r rtcp.ReceptionReport, now time.Time) (time.Duration, bool) {
	if r.LastSenderReport == 0 {
		return 0, false
	}
	ticks := int32(ntpMiddle(now) - r.LastSenderReport - r.Delay)
	rtt := time.Duration(ticks) * time.Second / 65536
	if rtt > maxRoundTrip || rtt < -time.Second {
		return 0, false
	}
	return max(rtt, 0), true // a delay rounded up may leave less than nothing
}

// ntpMiddle is the middle 32 bits of t as an NTP timestamp.
func ntpMiddle(t time.Time) uint32 {
	const from1900 = 2208988800 // seconds from 1900 to 1970
	sec := uint64(t.Unix() + from1900)
	frac := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return uint32((sec<<32 | frac) >> 16)
}
