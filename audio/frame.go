// Package audio is the vocabulary every stage shares: frames of PCM, sample
// rates, levels, resampling and WAV files.
//
// May import: the standard library only. It is a leaf.
// Concurrency: values are plain data; functions are pure unless they say otherwise.
package audio

import "time"

// SpeechRate is the sample rate, in Hz, at which parley listens: mono, 16 bit.
// Opus decodes straight to it, and Silero and the recognisers expect it.
const SpeechRate = 16000

// FrameDuration is the length of one frame on the wire, as browsers send it.
const FrameDuration = 20 * time.Millisecond

// Origin says how the samples of a frame came to be.
type Origin uint8

// The origins of a frame.
const (
	Received  Origin = 0 // decoded from a packet that arrived
	Recovered Origin = 1 // rebuilt from the next packet's in-band FEC (RFC 6716 §2.1.7)
	Concealed Origin = 2 // invented by the decoder: what was said here is unknown, not silent
	Comfort   Origin = 3 // the sender stopped on purpose (DTX): this is silence
)

// Activity is the voice activity detector's judgement of a frame.
type Activity uint8

// The activities of a frame.
const (
	Unjudged Activity = 0 // no detector has looked at it
	Voice    Activity = 1 // inside speech
	Pause    Activity = 2 // the speaker has stopped, perhaps only to breathe: engines may speculate
)

// Frame is a short run of mono PCM. PCM is lent: it is valid until the callee
// returns, and whoever keeps it longer copies it (see Frame.Clone).
type Frame struct {
	PCM      []int16       // mono samples
	Rate     int           // samples per second
	Start    time.Duration // media time of the first sample, since the stream began
	Arrived  time.Time     // when the packet that carried it arrived
	Origin   Origin
	Activity Activity
}

// Duration is the length of the frame in media time.
func (f Frame) Duration() time.Duration { return SamplesToDuration(len(f.PCM), f.Rate) }

// End is the media time just after the last sample.
func (f Frame) End() time.Duration { return f.Start + f.Duration() }

// Clone returns the frame with samples of its own.
func (f Frame) Clone() Frame {
	f.PCM = append([]int16(nil), f.PCM...)
	return f
}

// SamplesToDuration converts n samples at rate Hz to time; 0 when rate is 0.
func SamplesToDuration(n, rate int) time.Duration {
	if rate == 0 {
		return 0
	}
	return time.Duration(n) * time.Second / time.Duration(rate)
}

// DurationToSamples converts d to whole samples at rate Hz, rounding down.
func DurationToSamples(d time.Duration, rate int) int {
	return int(d * time.Duration(rate) / time.Second)
}
