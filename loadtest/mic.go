package loadtest

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"

	"parley/audio"
)

// play is a clip on its way out of the microphone, and the moments it left
// behind. Its fields are guarded by the Caller's mutex once it is handed over.
type play struct {
	clip  *Clip
	next  int
	began time.Time // the first frame was sent
	onset time.Time // the first frame with speech was sent
	spoke time.Time // the last frame with speech was sent
	ended time.Time // the last frame was sent
}

// mic decides what the next 20 ms packet is. It is pure: it reads no clock.
type mic struct {
	room   [][]byte // what is sent between clips, in a loop
	dtx    bool
	header rtp.Header
	play   *play
	quiet  int // frames of silence since the last speech
}

// DTX as libopus does it: silence is sent for 200 ms, then once every 400 ms.
const (
	dtxHangover = 10
	dtxInterval = 20
)

func newMic(room [][]byte, dtx bool) mic {
	return mic{room: room, dtx: dtx, header: rtp.Header{
		Version: 2, SequenceNumber: uint16(rand.Uint32()), Timestamp: rand.Uint32(),
	}}
}

// frame returns the packet for the next 20 ms; ok is false where DTX sends none.
func (m *mic) frame() (p rtp.Packet, ok bool) {
	payload, marker := m.payload()
	p = rtp.Packet{Header: m.header, Payload: payload}
	p.Marker = marker
	m.header.Timestamp += frameSize
	if payload == nil {
		return p, false
	}
	m.header.SequenceNumber++
	return p, true
}

func (m *mic) payload() (payload []byte, marker bool) {
	if m.play != nil {
		marker = m.dtx && m.quiet > dtxHangover
		m.quiet = 0
		return m.play.clip.packets[m.play.next], marker
	}
	m.quiet++
	if m.dtx && m.quiet > dtxHangover && (m.quiet-dtxHangover)%dtxInterval != 0 {
		return nil, false
	}
	return m.room[m.quiet%len(m.room)], false
}

// sent notes that the packet frame returned left at a moment, and moves on.
// It says whether something happened that a turn waits for.
func (m *mic) sent(at time.Time) bool {
	p := m.play
	if p == nil {
		return false
	}
	i, notable := p.next, false
	note := func(frame int, field *time.Time) {
		if i == frame {
			*field, notable = at, true
		}
	}
	note(0, &p.began)
	note(p.clip.first, &p.onset)
	note(p.clip.last, &p.spoke)
	note(p.clip.frames()-1, &p.ended)
	if p.next++; p.next == len(p.clip.packets) {
		m.play = nil
	}
	return notable
}

// skip passes over n frames that could not be sent in time, as a sound card
// does after the machine was suspended.
func (m *mic) skip(n int) { m.header.Timestamp += uint32(n) * frameSize }

// talk sends a frame every 20 ms on absolute deadlines until ctx ends: a late
// frame does not delay those after it.
func (c *Caller) talk(ctx context.Context) {
	const far = 25 // frames behind from which catching up makes no sense
	deadline := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		c.sendFrame()
		deadline = deadline.Add(audio.FrameDuration)
		if late := int(time.Since(deadline) / audio.FrameDuration); late > far {
			deadline = deadline.Add(time.Duration(late) * audio.FrameDuration)
			c.mu.Lock()
			c.mic.skip(late)
			c.mu.Unlock()
		}
		timer.Reset(time.Until(deadline))
	}
}

func (c *Caller) sendFrame() {
	c.mu.Lock()
	packet, ok := c.mic.frame()
	c.mu.Unlock()
	now := time.Now()
	if ok {
		if err := c.line.write(&packet); err != nil {
			c.log.Debug("a packet was not sent", "error", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mic.sent(now) {
		c.ring()
	}
}
