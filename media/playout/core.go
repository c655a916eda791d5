package playout

import (
	"fmt"
	"time"

	"github.com/pion/rtp"

	"parley/audio"
	"parley/media/opus"
)

// core is the pure part of a Player: what to send, and when. Time is an
// argument. It is guarded by the Player's mutex.
type core struct {
	enc     *opus.Encoder
	rate    int // of enc and pcm
	samples int // per frame at rate

	pcm     []int16 // waiting, of the current track; capacity Buffer + frame
	cur     *Track
	talking bool      // inside a talkspurt
	due     time.Time // when the packet numbered seq, ts belongs
	seq     uint16
	ts      uint32

	packet  rtp.Packet
	payload [opus.MaxPacketBytes]byte

	delay    time.Duration // from sent to heard, once reported
	reported bool
	lost     float64 // share of packets that get lost, smoothed over reports
	fec      int     // percent of loss the encoder is prepared for
	stats    Stats
}

// setRate prepares for a track's PCM.
func (c *core) setRate(rate int) error {
	if c.rate == rate {
		return c.enc.Reset()
	}
	enc, err := opus.NewEncoder(rate)
	if err != nil {
		return fmt.Errorf("playout: write: %w", err)
	}
	if err := enc.ExpectLoss(c.fec); err != nil {
		return fmt.Errorf("playout: write: %w", err)
	}
	c.enc, c.rate, c.samples = enc, rate, enc.FrameSamples()
	c.pcm = make([]int16, 0, audio.DurationToSamples(Buffer+frame, rate))
	return nil
}

// Loss from which packets carry FEC, and below which they no longer do. FEC
// costs about half as much CPU again, and bits; few calls need it.
const (
	fecFrom  = 0.02
	fecUntil = 0.005
	lossGain = 0.3 // of the newest report in the smoothed share
)

// hearOfLoss takes the share of packets lost since the report before.
func (c *core) hearOfLoss(share float64) error {
	c.lost += (share - c.lost) * lossGain
	fec := c.fec
	switch {
	case c.lost >= fecFrom:
		fec = int(c.lost*100 + 0.5)
	case c.lost < fecUntil:
		fec = 0
	}
	if fec == c.fec || c.enc == nil {
		c.fec = fec
		return nil
	}
	c.fec = fec
	return c.enc.ExpectLoss(fec)
}

// queue takes as much of pcm as there is room for and returns how much.
func (c *core) queue(pcm []int16, now time.Time) int {
	n := min(len(pcm), cap(c.pcm)-len(c.pcm))
	was := c.ready()
	c.pcm = append(c.pcm, pcm[:n]...)
	if !was {
		c.resume(now)
	}
	return n
}

// drain tells that nothing more comes.
func (c *core) drain(now time.Time) {
	was := c.ready()
	c.cur.draining = true
	if !was {
		c.resume(now)
	}
}

// resume ends the talkspurt if its next packet should have left long ago, but
// could not for want of PCM.
func (c *core) resume(now time.Time) {
	if c.ready() && c.talking && now.Sub(c.due) > grace {
		c.talking = false
		c.stats.Underruns++
	}
}

// unqueue takes back up to n samples that were queued last.
func (c *core) unqueue(n int) { c.pcm = c.pcm[:max(0, len(c.pcm)-n)] }

// ready tells whether a packet can be made.
func (c *core) ready() bool {
	switch {
	case c.cur == nil || len(c.pcm) == 0:
		return false
	case c.cur.draining:
		return true
	default:
		return len(c.pcm) >= c.samples
	}
}

// wake is when tick has work; the zero time when nothing is to be sent. A
// talkspurt may begin one frame ahead of the schedule the last one left behind.
func (c *core) wake() time.Time {
	switch {
	case !c.ready():
		return time.Time{}
	case c.talking:
		return c.due
	default:
		return c.due.Add(-frame)
	}
}

// tick makes the packet that is due in c.packet, and tells whether there is
// one. It belongs to c.cur. Its payload is empty if it could not be encoded.
func (c *core) tick(now time.Time) bool {
	if !c.ready() || now.Before(c.wake()) {
		return false
	}
	if c.talking && now.Sub(c.due) > maxLate {
		c.talking = false
		c.stats.Stalls++
	}
	marker := !c.talking
	if marker {
		c.begin(now)
	}
	n, played, err := c.encode()
	c.packet = rtp.Packet{
		Header:  rtp.Header{Version: 2, Marker: marker, SequenceNumber: c.seq, Timestamp: c.ts},
		Payload: c.payload[:n],
	}
	c.due = c.due.Add(frame)
	c.ts += uint32(opus.Timestamp(frame))
	if err != nil {
		c.packet.Payload = nil
		c.stats.Failed++
		return true
	}
	c.seq++
	c.stats.Packets++
	c.cur.sent.add(now, audio.SamplesToDuration(played, c.rate))
	return true
}

// begin starts a talkspurt. RTP time has gone on with the clock since the last
// one, so that the listener's jitter buffer sees a pause, not a jump.
func (c *core) begin(now time.Time) {
	if c.due.IsZero() {
		c.due = now
	}
	if late := now.Sub(c.due); late > 0 {
		c.ts += uint32(opus.Timestamp(late))
		c.due = now
	}
	c.talking = true
	c.stats.Talkspurts++
}

// encode compresses the next frame into c.payload and returns its size and the
// number of samples it took; a last, partial frame is padded with silence.
func (c *core) encode() (size, played int, err error) {
	played = min(c.samples, len(c.pcm))
	in := c.pcm[:c.samples] // within the capacity, which is a whole number of frames
	clear(in[played:])
	size, err = c.enc.Encode(in, c.payload[:])
	rest := copy(c.pcm, c.pcm[played:])
	c.pcm = c.pcm[:rest]
	return size, played, err
}

// finish lets go of the current track.
func (c *core) finish() {
	c.cur, c.talking = nil, false
	c.pcm = c.pcm[:0]
}

// position is what was played of r at now.
func (c *core) position(r *record, now time.Time) Played {
	if !c.reported {
		return Played{Sent: r.total, Heard: r.total}
	}
	return Played{Sent: r.total, Heard: r.heard(now.Add(-c.delay))}
}

// record remembers when the latest packets of a track left.
type record struct {
	total time.Duration
	floor time.Duration // of heard, which never runs backwards
	last  [recorded]struct {
		at  time.Time
		dur time.Duration
	}
	n int
}

// recorded packets reach back 1.28 s, more than any delay worth a guess.
const recorded = 64

func (r *record) add(at time.Time, dur time.Duration) {
	r.last[r.n%recorded].at, r.last[r.n%recorded].dur = at, dur
	r.n++
	r.total += dur
}

// heard is how much has come out by then, if a packet sounds from the instant
// it left.
func (r *record) heard(by time.Time) time.Duration {
	heard := r.total
	for i := r.n - 1; i >= max(0, r.n-recorded); i-- {
		p := r.last[i%recorded]
		out := min(max(by.Sub(p.at), 0), p.dur)
		if out == p.dur {
			break
		}
		heard -= p.dur - out
	}
	r.floor = max(r.floor, heard)
	return r.floor
}
