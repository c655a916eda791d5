// Package capture collects the sound of an utterance for engines that
// understand it as a whole, and tells them when to start guessing.
//
// May import: audio, internal/fault and the standard library.
// Concurrency: a Buffer belongs to one goroutine. What PCM and Utterance return
// never changes afterwards, so other goroutines may read it.
package capture

import (
	"slices"

	"parley/audio"
	"parley/internal/fault"
)

// Shortest is the least sound worth understanding, in samples: 100 ms.
const Shortest = audio.SpeechRate / 10

// Change is what a frame did to the utterance.
type Change uint8

// The changes.
const (
	None    Change = iota
	Paused         // the speaker has stopped, perhaps for good: Utterance is worth understanding
	Resumed        // the speaker went on after all: what Utterance said at Paused is void
	Full           // the limit is reached, and the rest will be ignored: like Paused, and never void
)

// Buffer collects an utterance. Limit must be set.
type Buffer struct {
	Limit int // samples kept

	pcm     []int16
	spoken  bool // a Voice frame was heard
	full    bool
	pauseAt int // samples up to and with the first Pause frame since the last Voice; 0: no pause
}

// Add takes a copy of the samples of f, which must be at 16 kHz; else the error
// is of kind fault.BadInput. A Pause counts once Voice was heard, and lasts
// until Voice is heard again.
func (b *Buffer) Add(f audio.Frame) (Change, error) {
	if f.Rate != audio.SpeechRate {
		return None, fault.Newf(fault.BadInput, "stt: transcribe", "frames at %d Hz, want %d", f.Rate, audio.SpeechRate)
	}
	if b.full {
		return None, nil
	}
	room := b.Limit - len(b.pcm)
	b.pcm = append(b.pcm, f.PCM[:min(room, len(f.PCM))]...)
	wasPaused := b.pauseAt > 0
	switch {
	case len(f.PCM) > room && wasPaused:
		b.full = true // the pause stands
	case len(f.PCM) > room:
		b.full, b.pauseAt = true, len(b.pcm)
		return Full, nil
	case f.Activity == audio.Voice:
		b.spoken, b.pauseAt = true, 0
		if wasPaused {
			return Resumed, nil
		}
	case f.Activity == audio.Pause && b.spoken && !wasPaused:
		b.pauseAt = len(b.pcm)
		return Paused, nil
	}
	return None, nil
}

// PCM returns all samples kept so far, 16 kHz mono.
func (b *Buffer) PCM() []int16 { return slices.Clip(b.pcm) }

// Utterance returns what there is to understand: up to the pause where there
// is one, since more silence adds nothing, else everything.
func (b *Buffer) Utterance() []int16 {
	if b.pauseAt > 0 {
		return slices.Clip(b.pcm[:b.pauseAt])
	}
	return b.PCM()
}

// Paused reports whether the speaker is silent, or will not be heard any more.
func (b *Buffer) Paused() bool { return b.pauseAt > 0 }

// Cut reports whether sound was ignored for being beyond the limit.
func (b *Buffer) Cut() bool { return b.full }
