package opus

import (
	"fmt"

	libopus "gopkg.in/hraban/opus.v2"
)

// Decoder turns the packets of one stream into 16 kHz mono PCM. Stereo is mixed
// down. It allocates nothing after NewDecoder and keeps about 18 KB of state.
type Decoder struct{ lib libopus.Decoder }

// NewDecoder returns a decoder with no history.
func NewDecoder() (*Decoder, error) {
	d := &Decoder{}
	if err := d.lib.Init(DecodeRate, 1); err != nil {
		return nil, fmt.Errorf("opus: new decoder: %w", err)
	}
	return d, nil
}

// Decode decodes a packet into pcm, which should have room for MaxSamples, and
// returns the number of samples written. A malformed packet is an error and
// leaves the decoder's state as it was.
func (d *Decoder) Decode(packet []byte, pcm []int16) (int, error) {
	if _, err := Parse(packet); err != nil {
		return 0, err
	}
	n, err := d.lib.Decode(packet, clip(pcm))
	if err != nil {
		return 0, fmt.Errorf("opus: decode: %w", err)
	}
	return n, nil
}

// DecodeFEC rebuilds the audio just before a packet from that packet's in-band
// FEC. len(pcm) is the exact length of what is missing, a multiple of 40
// samples (2.5 ms). Where the packet carries none (Packet.FEC) the audio is
// concealed. Call it before Decode of the same packet.
func (d *Decoder) DecodeFEC(next []byte, pcm []int16) error {
	if _, err := Parse(next); err != nil {
		return err
	}
	if err := d.lib.DecodeFEC(next, clip(pcm)); err != nil {
		return fmt.Errorf("opus: decode FEC: %w", err)
	}
	return nil
}

// Conceal invents the next len(pcm) samples, a multiple of 40 (2.5 ms) and at
// most MaxSamples, from what came before; it fades out over successive calls.
func (d *Decoder) Conceal(pcm []int16) error {
	if err := d.lib.DecodePLC(clip(pcm)); err != nil {
		return fmt.Errorf("opus: conceal: %w", err)
	}
	return nil
}

// clip bounds the capacity too: the library below writes up to the capacity.
func clip(pcm []int16) []int16 { return pcm[:len(pcm):len(pcm)] }
