package media

import (
	"time"

	"github.com/pion/rtp"

	"parley/audio"
	"parley/media/opus"
	"parley/media/reorder"
)

// How a Receiver fills what did not come.
const (
	// plcLimit is how much of a gap the decoder is asked to invent; by then its
	// concealment has faded, and zeros serve as well.
	plcLimit = 100 * time.Millisecond
	// fillLimit bounds what is put out for one gap. A longer one is cut out of
	// the media time line.
	// Over time no more is filled than this and the time that has passed, lest few
	// packets with far-off timestamps make many frames.
	fillLimit = 2 * time.Second
	// comfortSlack is how long after its due time the packet after a DTX packet
	// is waited for before silence takes its place.
	comfortSlack = 10 * time.Millisecond
	// comfortLimit is how long DTX is believed without another packet. Opus
	// sends one every 400 ms (RFC 7587 §3.1.3 with libopus); a sender that is
	// silent for longer than several of these has gone.
	comfortLimit = 3 * time.Second
	// leadLimit is how far comfort frames may stay ahead of the sender's clock;
	// more means that its timestamps do not follow time.
	leadLimit = 100 * time.Millisecond
)

const (
	frameSamples = int(audio.FrameDuration * audio.SpeechRate / time.Second) // 320
	ticksPerSmpl = opus.ClockRate / audio.SpeechRate                         // 3
	plcGrain     = 40                                                        // samples: concealment comes in steps of 2.5 ms
)

// Receiver turns one caller's RTP packets into frames: at most 20 ms each, 16
// kHz mono, each beginning where the one before ended. It reorders, rebuilds a
// lost frame from the next packet's in-band FEC, conceals the rest, and puts
// out silence while the sender is in DTX. Without DTX, a stream that stops
// yields nothing until packets return: missing is not silence.
type Receiver struct {
	window reorder.Window
	dec    *opus.Decoder
	emit   func(audio.Frame)
	pcm    [opus.MaxSamples]int16

	pos    int64 // samples put out: the media time line
	begun  bool
	nextTS int64         // unwrapped RTP time at which the next packet should start
	dur    time.Duration // of the last packet
	lost   int           // packets known to be lost and not yet filled for
	lead   int64         // samples of comfort put out beyond the sender's clock

	credit   time.Duration // that may be filled; grows with time up to fillLimit
	creditAt time.Time

	dtx       bool
	lastAt    time.Time // arrival of the last packet delivered
	comfortAt time.Time // when the next comfort frame is due, in DTX

	jitter jitter
	stats  ReceiverStats
}

// ReceiverStats counts what a Receiver got and made. The reordering window's
// counters are in Window.
type ReceiverStats struct {
	Window    reorder.Stats
	Malformed uint64        // packets that are not Opus; treated as lost
	Recovered uint64        // frames rebuilt from in-band FEC
	Concealed uint64        // frames invented
	Comfort   uint64        // frames of DTX silence
	Cut       time.Duration // gaps beyond what is filled
	Jitter    time.Duration // interarrival jitter (RFC 3550 §6.4.1)
}

// NewReceiver returns a Receiver that hands frames to emit, which must not
// block; their PCM is lent until it returns.
func NewReceiver(emit func(audio.Frame)) (*Receiver, error) {
	dec, err := opus.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &Receiver{dec: dec, emit: emit, dur: audio.FrameDuration}, nil
}

// Push takes a packet that arrived now, and puts out what it makes possible.
func (r *Receiver) Push(p *rtp.Packet, now time.Time) {
	r.jitter.observe(p.Timestamp, now)
	r.window.Push(reorder.Packet{Seq: p.SequenceNumber, Timestamp: p.Timestamp, Payload: p.Payload, Arrived: now})
	r.Tick(now)
}

// Tick puts out what has become due; call it at Deadline.
func (r *Receiver) Tick(now time.Time) {
	for item, ok := r.window.Pop(now); ok; item, ok = r.window.Pop(now) {
		r.deliver(item)
	}
	for r.dtx && !now.Before(r.comfortAt) {
		if r.comfortAt.Sub(r.lastAt) > comfortLimit {
			r.dtx = false
			return
		}
		r.earn(r.comfortAt)
		r.spend(int64(frameSamples))
		r.zeros(frameSamples, audio.Comfort, r.comfortAt)
		r.lead += int64(frameSamples)
		r.comfortAt = r.comfortAt.Add(audio.FrameDuration)
	}
}

// Deadline is when Tick is to be called next; the zero time when only a packet
// can change anything.
func (r *Receiver) Deadline() time.Time {
	d := r.window.Deadline()
	if r.dtx && (d.IsZero() || r.comfortAt.Before(d)) {
		return r.comfortAt
	}
	return d
}

// Stats returns the counters so far.
func (r *Receiver) Stats() ReceiverStats {
	s := r.stats
	s.Window, s.Jitter = r.window.Stats(), r.jitter.estimate
	return s
}

// deliver puts out the packet in item, after what is missing before it.
func (r *Receiver) deliver(item reorder.Item) {
	r.lost += item.Lost
	p, err := opus.Parse(item.Payload)
	if err != nil {
		if len(item.Payload) > 0 { // an empty one is padding, and takes no time
			r.stats.Malformed++
			r.lost++
		}
		return
	}
	if !r.begun || item.Resync {
		r.begun, r.nextTS = true, item.Time
	}
	r.fill(item, p)
	r.lost = 0
	n, err := r.dec.Decode(item.Payload, r.pcm[:])
	switch {
	case err != nil:
		r.stats.Malformed++
		r.conceal(p.Samples(), item.Arrived)
	case p.DTX:
		r.put(r.pcm[:n], audio.Comfort, item.Arrived)
	default:
		r.put(r.pcm[:n], audio.Received, item.Arrived)
	}
	r.nextTS = item.Time + opus.Timestamp(p.Duration())
	r.dur, r.dtx, r.lastAt = p.Duration(), p.DTX, item.Arrived
	r.comfortAt = item.Arrived.Add(p.Duration() + comfortSlack)
}

// fill puts out the time between the last packet and item. As much of it as the
// lost packets held is concealed; where the sender's clock moved further, it
// chose not to send, and that is silence.
func (r *Receiver) fill(item reorder.Item, p opus.Packet) {
	gap := max(0, (item.Time-r.nextTS)/ticksPerSmpl)
	r.earn(item.Arrived)
	limit := int64(audio.DurationToSamples(r.credit, audio.SpeechRate))
	lost := min(gap, int64(r.lost*audio.DurationToSamples(r.dur, audio.SpeechRate)))
	quiet := max(0, gap-lost-r.lead)
	r.lead = max(0, r.lead-(gap-lost))
	if r.lead > int64(audio.DurationToSamples(leadLimit, audio.SpeechRate)) {
		r.lead = 0
	}
	if over := max(0, lost-limit) + max(0, quiet-max(0, limit-lost)); over > 0 {
		r.stats.Cut += audio.SamplesToDuration(int(over), audio.SpeechRate)
	}
	lost = min(lost, limit)
	quiet = min(quiet, limit-lost)
	r.spend(lost + quiet)

	// The silence was before the loss if it had begun, else after it; only a
	// loss just before this packet can be rebuilt from it.
	if r.dtx || lost == 0 {
		r.zeros(int(quiet), audio.Comfort, item.Arrived)
		quiet = 0
	}
	fec := 0
	if n := audio.DurationToSamples(p.Frame, audio.SpeechRate); p.FEC && quiet == 0 && lost >= int64(n) {
		fec = n
	}
	r.conceal(int(lost)-fec, item.Arrived)
	if fec > 0 {
		r.recover(item, fec)
	}
	r.zeros(int(quiet), audio.Comfort, item.Arrived)
}

// earn lets the credit grow with the time up to at.
func (r *Receiver) earn(at time.Time) {
	if r.creditAt.IsZero() {
		r.credit, r.creditAt = fillLimit, at
	}
	if passed := at.Sub(r.creditAt); passed > 0 { // reordered packets come with older times
		r.credit, r.creditAt = min(r.credit+passed, fillLimit), at
	}
}

func (r *Receiver) spend(samples int64) {
	r.credit = max(0, r.credit-audio.SamplesToDuration(int(samples), audio.SpeechRate))
}

// recover rebuilds the n samples before item from its FEC.
func (r *Receiver) recover(item reorder.Item, n int) {
	if err := r.dec.DecodeFEC(item.Payload, r.pcm[:n]); err != nil {
		r.zeros(n, audio.Concealed, item.Arrived)
		return
	}
	r.put(r.pcm[:n], audio.Recovered, item.Arrived)
}

// conceal puts out n samples in place of what was lost.
func (r *Receiver) conceal(n int, arrived time.Time) {
	plc := min(n, audio.DurationToSamples(plcLimit, audio.SpeechRate)) / plcGrain * plcGrain
	for at := 0; at < plc; {
		step := min(frameSamples, plc-at)
		if err := r.dec.Conceal(r.pcm[:step]); err != nil {
			clear(r.pcm[:step])
		}
		r.put(r.pcm[:step], audio.Concealed, arrived)
		at += step
	}
	r.zeros(n-plc, audio.Concealed, arrived)
}

// zeros puts out n samples of nothing.
func (r *Receiver) zeros(n int, origin audio.Origin, arrived time.Time) {
	for n > 0 {
		step := min(n, frameSamples)
		clear(r.pcm[:step])
		r.put(r.pcm[:step], origin, arrived)
		n -= step
	}
}

// put hands pcm out in frames of at most 20 ms.
func (r *Receiver) put(pcm []int16, origin audio.Origin, arrived time.Time) {
	for len(pcm) > 0 {
		n := min(len(pcm), frameSamples)
		r.emit(audio.Frame{
			PCM: pcm[:n:n], Rate: audio.SpeechRate, Origin: origin, Arrived: arrived,
			Start: audio.SamplesToDuration(int(r.pos), audio.SpeechRate),
		})
		r.pos += int64(n)
		r.count(origin)
		pcm = pcm[n:]
	}
}

func (r *Receiver) count(origin audio.Origin) {
	switch origin {
	case audio.Recovered:
		r.stats.Recovered++
	case audio.Concealed:
		r.stats.Concealed++
	case audio.Comfort:
		r.stats.Comfort++
	case audio.Received:
	}
}

// jitter estimates the variation of transit times (RFC 3550 §6.4.1).
type jitter struct {
	at       time.Time
	ts       uint32
	estimate time.Duration
}

func (j *jitter) observe(ts uint32, now time.Time) {
	if !j.at.IsZero() {
		sent := time.Duration(int32(ts-j.ts)) * time.Second / opus.ClockRate
		d := now.Sub(j.at) - sent
		j.estimate += (min(max(d, -d), time.Second) - j.estimate) / 16
	}
	j.at, j.ts = now, ts
}
