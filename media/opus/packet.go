package opus

import (
	"errors"
	"fmt"
	"time"
)

// Mode is the coding layer a packet uses (RFC 6716 §3.1).
type Mode uint8

// The modes.
const (
	SILK   Mode = 0 // linear prediction, speech at low rates
	Hybrid Mode = 1 // SILK up to 8 kHz, CELT above
	CELT   Mode = 2 // MDCT; never carries in-band FEC
)

// ErrPacket is wrapped by every error of Parse.
var ErrPacket = errors.New("malformed packet")

// Packet is what a packet says about itself.
type Packet struct {
	Mode   Mode
	Stereo bool
	Frames int           // 1 to MaxFrames
	Frame  time.Duration // length of each frame: 2.5, 5, 10, 20, 40 or 60 ms
	// DTX: at most two bytes, so a header and no sound; the sender has stopped
	// on purpose and sends nothing more until there is something to hear, or
	// for 400 ms.
	DTX bool
	// FEC: the packet repeats, at a lower rate, the frame just before it (LBRR,
	// RFC 6716 §2.1.7).
	FEC bool
}

// Duration is the length of the packet's audio, at most MaxDuration.
func (p Packet) Duration() time.Duration { return time.Duration(p.Frames) * p.Frame }

// Samples is the length of the packet's audio at DecodeRate.
func (p Packet) Samples() int { return int(p.Duration() * DecodeRate / time.Second) }

// Parse reads a packet's table of contents and checks its framing against the
// rules R1 to R7 of RFC 6716 §3.4, without decoding it.
func Parse(data []byte) (Packet, error) {
	if len(data) == 0 {
		return Packet{}, malformed("empty (R1)")
	}
	toc := data[0]
	p := Packet{Stereo: toc&4 != 0, DTX: len(data) <= 2}
	p.Mode, p.Frame = config(toc >> 3)
	first, err := p.frames(toc&3, data[1:])
	if err != nil {
		return Packet{}, err
	}
	p.FEC = p.hasFEC(first)
	return p, nil
}

// config decodes the five configuration bits (RFC 6716 table 2).
func config(c byte) (Mode, time.Duration) {
	const ms = time.Millisecond
	switch {
	case c < 12:
		return SILK, [4]time.Duration{10 * ms, 20 * ms, 40 * ms, 60 * ms}[c&3]
	case c < 16:
		return Hybrid, [2]time.Duration{10 * ms, 20 * ms}[c&1]
	default:
		return CELT, [4]time.Duration{2500 * time.Microsecond, 5 * ms, 10 * ms, 20 * ms}[c&3]
	}
}

// frames sets p.Frames from the packing code and returns the first frame.
func (p *Packet) frames(code byte, body []byte) ([]byte, error) {
	switch code {
	case 0:
		p.Frames = 1
		return body, checkFrame(len(body))
	case 1:
		p.Frames = 2
		if len(body)%2 != 0 {
			return nil, malformed("two equal frames in %d bytes (R3)", len(body))
		}
		return body[:len(body)/2], checkFrame(len(body) / 2)
	case 2:
		p.Frames = 2
		n, used, ok := frameLength(body)
		if !ok || n > len(body)-used {
			return nil, malformed("first of two frames is longer than the packet (R4)")
		}
		return body[used : used+n], errors.Join(checkFrame(n), checkFrame(len(body)-used-n))
	default:
		return p.manyFrames(body)
	}
}

// manyFrames reads a code 3 packet (RFC 6716 §3.2.5).
func (p *Packet) manyFrames(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, malformed("no frame count (R6)")
	}
	count := body[0]
	body = body[1:]
	p.Frames = int(count & 0x3f)
	if p.Frames == 0 || p.Duration() > MaxDuration {
		return nil, malformed("%d frames of %v (R5)", p.Frames, p.Frame)
	}
	if count&0x40 != 0 {
		var ok bool
		if body, ok = stripPadding(body); !ok {
			return nil, malformed("more padding than packet (R6)")
		}
	}
	if count&0x80 != 0 {
		return p.variableFrames(body)
	}
	if len(body)%p.Frames != 0 {
		return nil, malformed("%d equal frames in %d bytes (R6)", p.Frames, len(body))
	}
	n := len(body) / p.Frames
	return body[:n], checkFrame(n)
}

// variableFrames reads the lengths of all frames but the last and returns the
// first frame.
func (p *Packet) variableFrames(body []byte) ([]byte, error) {
	sum, first := 0, -1
	for range p.Frames - 1 {
		n, used, ok := frameLength(body)
		if !ok {
			return nil, malformed("frame lengths missing (R7)")
		}
		body = body[used:]
		sum += n
		if first < 0 {
			first = n
		}
	}
	last := len(body) - sum
	if last < 0 {
		return nil, malformed("frames are longer than the packet (R7)")
	}
	if first < 0 {
		first = last
	}
	return body[:first], checkFrame(last)
}

// stripPadding removes the padding that the bytes at the start of body
// announce (RFC 6716 §3.2.5: 255 means 254 and another byte).
func stripPadding(body []byte) ([]byte, bool) {
	padding := 0
	for {
		if len(body) == 0 {
			return nil, false
		}
		b := int(body[0])
		body = body[1:]
		if b < 255 {
			padding += b
			break
		}
		padding += 254
	}
	if padding > len(body) {
		return nil, false
	}
	return body[:len(body)-padding], true
}

// frameLength reads a one- or two-byte length (RFC 6716 §3.2.1).
func frameLength(b []byte) (n, used int, ok bool) {
	switch {
	case len(b) == 0:
		return 0, 0, false
	case b[0] < 252:
		return int(b[0]), 1, true
	case len(b) < 2:
		return 0, 0, false
	default:
		return 4*int(b[1]) + int(b[0]), 2, true
	}
}

// hasFEC looks at the LBRR flags at the start of the first frame. They are the
// first symbols of the range coder, with even odds, so they can be read as
// plain bits: per channel one voice flag for each 20 ms, then the LBRR flag
// (RFC 6716 §4.2.3).
func (p *Packet) hasFEC(frame []byte) bool {
	if p.Mode == CELT || len(frame) == 0 {
		return false
	}
	flags := max(1, int(p.Frame/(20*time.Millisecond)))
	if frame[0]>>(7-flags)&1 == 1 {
		return true
	}
	return p.Stereo && frame[0]>>(6-2*flags)&1 == 1
}

func checkFrame(n int) error {
	if n > MaxFrameBytes {
		return malformed("frame of %d bytes (R2)", n)
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("opus: parse: %w: %s", ErrPacket, fmt.Sprintf(format, args...))
}
