package media

import (
	"time"

	"github.com/pion/rtcp"

	"parley/media/opus"
)

// reportInterval is how often the caller is told how its packets fare. Browsers
// choose their in-band FEC and bit rate by it.
const reportInterval = time.Second

// reporter makes the receiver reports of one incoming stream (RFC 3550 §6.4.1).
// Pion's own do the same from a goroutine for each call, and allocate for each
// packet.
type reporter struct {
	begun    bool
	ssrc     uint32
	base     int64 // first sequence number
	highest  int64 // unwrapped
	received int64

	expectedBefore, receivedBefore int64 // at the last report
	lastReport                     time.Time

	senderReport uint32 // middle 32 bits of the NTP time in the caller's last one
	senderAt     time.Time
}

// observe counts a packet.
func (r *reporter) observe(ssrc uint32, seq uint16, now time.Time) {
	if !r.begun || ssrc != r.ssrc {
		*r = reporter{begun: true, ssrc: ssrc, base: int64(seq), highest: int64(seq) - 1, lastReport: now}
	}
	r.received++
	if num := r.highest + int64(int16(seq-uint16(r.highest))); num > r.highest {
		r.highest = num
	}
}

// told notes the caller's sender report.
func (r *reporter) told(sr *rtcp.SenderReport, now time.Time) {
	if r.begun && sr.SSRC == r.ssrc {
		r.senderReport, r.senderAt = uint32(sr.NTPTime>>16), now
	}
}

// due returns the report to send, at most one in an interval.
func (r *reporter) due(jitter time.Duration, now time.Time) (rtcp.ReceptionReport, bool) {
	if !r.begun || now.Sub(r.lastReport) < reportInterval {
		return rtcp.ReceptionReport{}, false
	}
	expected := r.highest - r.base + 1
	lost := min(max(expected-r.received, 0), 0x7fffff)
	rep := rtcp.ReceptionReport{
		SSRC: r.ssrc, LastSequenceNumber: uint32(r.highest), TotalLost: uint32(lost),
		Jitter:       uint32(min(opus.Timestamp(jitter), 1<<32-1)),
		FractionLost: fraction(expected-r.expectedBefore, r.received-r.receivedBefore),
	}
	if !r.senderAt.IsZero() {
		rep.LastSenderReport = r.senderReport
		rep.Delay = uint32(now.Sub(r.senderAt) * 65536 / time.Second)
	}
	r.expectedBefore, r.receivedBefore, r.lastReport = expected, r.received, now
	return rep, true
}

// fraction is the share lost of what was expected, in 1/256 (RFC 3550 A.3).
func fraction(expected, received int64) uint8 {
	if expected <= 0 || received >= expected {
		return 0
	}
	return uint8(min((expected-received)*256/expected, 255))
}
