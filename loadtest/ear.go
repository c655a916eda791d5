package loadtest

import (
	"fmt"
	"time"

	"github.com/pion/rtp"
	"gopkg.in/hraban/opus.v2"

	"parley/audio"
)

const (
	// AudibleLevel is the RMS, in dBFS, from which a decoded packet counts as
	// heard rather than as silence or comfort noise.
	AudibleLevel = -50.0
	// pauseGap is how long the far side must have stopped sending, lost packets
	// not counted, for the next packet to begin a new spurt.
	pauseGap = 100 * time.Millisecond

	maxSpurts = 256
	maxHeard  = 5 * time.Minute // of sound kept per turn
)

// spurt is a run of packets without a pause: a reply, or a part of one.
type spurt struct {
	first, last time.Time // arrival of its first and latest packet
	audible     time.Time // arrival of its first audible packet; zero without one
	packets     int
}

// ear listens to the packets that come in. It is pure: arrival is an argument.
type ear struct {
	dec    *opus.Decoder
	rate   int // of what it decodes, Hz
	pcm    []int16
	spurts []spurt // the latest maxSpurts
	base   int     // spurts forgotten before those
	seq    uint16  // of the latest packet
	begun  bool    // a packet has come
	lost   int     // packets that never came, or too late

	keep  bool // keep what is heard
	heard []int16
}

// newEar returns an ear that decodes at 48 kHz when it is to keep what it
// hears, else at 16, which is cheaper.
func newEar(keep bool) (*ear, error) {
	rate := audio.SpeechRate
	if keep {
		rate = wireRate
	}
	dec, err := opus.NewDecoder(rate, 1)
	if err != nil {
		return nil, fmt.Errorf("loadtest: opus decoder: %w", err)
	}
	return &ear{dec: dec, rate: rate, keep: keep, pcm: make([]int16, rate*120/1000)}, nil
}

// packet takes in a packet that arrived at a moment. It says whether something
// happened that a turn waits for: a spurt began or became audible.
func (e *ear) packet(p *rtp.Packet, at time.Time) bool {
	step := int(int16(p.SequenceNumber - e.seq))
	if e.begun && step <= 0 { // too late to be played, or a copy
		return false
	}
	fresh := e.place(p.Marker, step, at)
	e.seq, e.begun = p.SequenceNumber, true
	s := &e.spurts[len(e.spurts)-1]
	n, err := e.dec.Decode(p.Payload, e.pcm)
	if err != nil || n == 0 {
		return fresh
	}
	e.hear(e.pcm[:n])
	if s.audible.IsZero() && audio.DBFS(audio.RMS(e.pcm[:n])) > AudibleLevel {
		s.audible = at
		return true
	}
	return fresh
}

// place finds the spurt the packet belongs to, opening one where needed, and
// fills what is missing before it. It says whether it opened one.
func (e *ear) place(marker bool, step int, at time.Time) bool {
	if !e.begun {
		e.open(at)
		return true
	}
	s := &e.spurts[len(e.spurts)-1]
	paused := at.Sub(s.last) - time.Duration(step)*audio.FrameDuration
	e.lost += step - 1
	if marker || paused > pauseGap {
		if len(e.heard) > 0 { // a pause within the turn
			e.hear(make([]int16, audio.DurationToSamples(min(max(paused, 0), 5*time.Second), e.rate)))
		}
		e.open(at)
		return true
	}
	e.conceal(step - 1)
	s.last = at
	s.packets++
	return false
}

func (e *ear) open(at time.Time) {
	if len(e.spurts) == maxSpurts {
		e.spurts = append(e.spurts[:0], e.spurts[maxSpurts/2:]...)
		e.base += maxSpurts / 2
	}
	e.spurts = append(e.spurts, spurt{first: at, last: at, packets: 1})
}

// conceal fills in for lost packets as a player does: sound for 100 ms at most,
// then silence.
func (e *ear) conceal(lost int) {
	frame := e.pcm[:e.rate/50]
	for i := range min(lost, 100) {
		if i >= 5 || e.dec.DecodePLC(frame) != nil {
			clear(frame)
		}
		e.hear(frame)
	}
}

func (e *ear) hear(pcm []int16) {
	if room := audio.DurationToSamples(maxHeard, e.rate) - len(e.heard); e.keep && room > 0 {
		e.heard = append(e.heard, pcm[:min(len(pcm), room)]...)
	}
}

// count is how many spurts there have been.
func (e *ear) count() int { return e.base + len(e.spurts) }

// since returns the spurts from number n on that are still remembered.
func (e *ear) since(n int) []spurt { return e.spurts[min(max(0, n-e.base), len(e.spurts)):] }

// latest is the arrival of the latest packet; zero before the first.
func (e *ear) latest() time.Time {
	if len(e.spurts) == 0 {
		return time.Time{}
	}
	return e.spurts[len(e.spurts)-1].last
}
