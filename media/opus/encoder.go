package opus

import (
	"fmt"
	"time"

	libopus "gopkg.in/hraban/opus.v2"

	"parley/audio"
)

// The encoder's settings: speech at a rate where SILK's in-band FEC can be
// switched on. Encoding is what a speaking call costs most; complexity 3 without
// FEC takes 40 % of the time of complexity 5 with it.
const (
	Bitrate    = 28000 // bits per second
	complexity = 3
)

// MaxPacketBytes is room for any packet of Encode.
const MaxPacketBytes = MaxFrameBytes + 1

// Encoder turns mono PCM into Opus packets of 20 ms, tuned for speech (VoIP),
// with in-band FEC where loss is expected. It allocates nothing after NewEncoder and keeps about 44 KB
// of state.
type Encoder struct {
	lib     libopus.Encoder
	samples int
}

// NewEncoder returns an encoder for mono PCM at rate Hz: 8000, 12000, 16000,
// 24000 or 48000.
func NewEncoder(rate int) (*Encoder, error) {
	if !ValidRate(rate) {
		return nil, fmt.Errorf("opus: new encoder: %d Hz is not one of Opus's sample rates", rate)
	}
	e := &Encoder{samples: audio.DurationToSamples(audio.FrameDuration, rate)}
	if err := e.lib.Init(rate, 1, libopus.AppVoIP); err != nil {
		return nil, fmt.Errorf("opus: new encoder: %w", err)
	}
	for _, set := range []func() error{
		func() error { return e.lib.SetBitrate(Bitrate) },
		func() error { return e.lib.SetComplexity(complexity) },
	} {
		if err := set(); err != nil {
			return nil, fmt.Errorf("opus: configure encoder: %w", err)
		}
	}
	return e, nil
}

// ExpectLoss prepares for this share of packets, in percent, being lost: above 0,
// packets carry in-band FEC for the frame before theirs (RFC 6716 §2.1.7).
func (e *Encoder) ExpectLoss(percent int) error {
	if err := e.lib.SetInBandFEC(percent > 0); err != nil {
		return fmt.Errorf("opus: expect loss: %w", err)
	}
	if err := e.lib.SetPacketLossPerc(min(max(percent, 0), 100)); err != nil {
		return fmt.Errorf("opus: expect loss: %w", err)
	}
	return nil
}

// FrameSamples is the number of samples in 20 ms, which Encode takes.
func (e *Encoder) FrameSamples() int { return e.samples }

// Encode compresses exactly FrameSamples samples into packet, which should have
// MaxPacketBytes, and returns the number of bytes written.
func (e *Encoder) Encode(pcm []int16, packet []byte) (int, error) {
	if len(pcm) != e.samples {
		return 0, fmt.Errorf("opus: encode: %d samples, want %d", len(pcm), e.samples)
	}
	n, err := e.lib.Encode(pcm, packet[:len(packet):len(packet)])
	if err != nil {
		return 0, fmt.Errorf("opus: encode: %w", err)
	}
	return n, nil
}

// Reset forgets what was encoded, as before an unrelated piece of audio.
func (e *Encoder) Reset() error {
	if err := e.lib.Reset(); err != nil {
		return fmt.Errorf("opus: reset encoder: %w", err)
	}
	return nil
}

// ValidRate tells whether Opus can take PCM at rate Hz without resampling.
func ValidRate(rate int) bool {
	switch rate {
	case 8000, 12000, 16000, 24000, 48000:
		return true
	}
	return false
}

// Timestamp converts a duration to ticks of the 48 kHz RTP clock that Opus
// always uses, whatever its sample rate (RFC 7587 §4.1).
func Timestamp(d time.Duration) int64 { return int64(d) * ClockRate / int64(time.Second) }

// ClockRate is the RTP clock rate of Opus in Hz (RFC 7587 §4.1).
const ClockRate = 48000
