// Package opus is parley's thin wrapper around libopus: a decoder that always
// yields 16 kHz mono, an encoder for speech, and what a packet says about
// itself (RFC 6716 §3) in pure Go.
//
// May import: audio and gopkg.in/hraban/opus.v2 (libopus through cgo).
// Concurrency: a Decoder or Encoder belongs to one goroutine; Parse is pure.
package opus

import "time"

// The limits of RFC 6716 §3.
const (
	MaxFrameBytes = 1275                   // R2: the largest compressed frame
	MaxDuration   = 120 * time.Millisecond // R5: the most audio in one packet
	MaxFrames     = 48                     // R5: 120 ms in frames of 2.5 ms
)

// DecodeRate is the sample rate, in Hz, of all decoded audio; it equals
// audio.SpeechRate. MaxSamples is room for the longest packet at that rate.
const (
	DecodeRate = 16000
	MaxSamples = int(MaxDuration * DecodeRate / time.Second)
)

// Lookahead is the algorithmic delay of an Opus encoder in its VoIP and audio
// modes (6.5 ms: 2.5 ms of CELT overlap and 4 ms of delay compensation, RFC
// 6716 §2.1 and OPUS_GET_LOOKAHEAD): the first sample of a packet was spoken
// this much before the packet's nominal start.
const Lookahead = 6500 * time.Microsecond
