// Package vad is the voice-activity port and the segmenter that turns speech
// probabilities into events. Networks and other scorers are sub-folders.
//
// May import: audio and the standard library.
// Concurrency: a Scorer and a Detector belong to one goroutine; nothing here
// reads a clock.
package vad

import (
	"time"

	"parley/audio"
)

// Window is the number of 16 kHz samples a Scorer judges at a time (32 ms),
// the window Silero was trained on.
const Window = 512

// Scorer judges how likely a window is to hold speech. It keeps state between
// windows, so each call has its own.
type Scorer interface {
	// Score takes exactly Window samples of 16 kHz mono and returns 0..1.
	Score(window []int16) float32
	// Reset forgets everything heard.
	Reset()
}

// Kind is what happened.
type Kind uint8

// The kinds of event.
const (
	SpeechStarted Kind = iota + 1 // At: first sample of speech, before the prefix padding
	SpeechPaused                  // the speaker fell silent at At, for now: engines may speculate
	SpeechResumed                 // the pause was not the end
	SpeechEnded                   // silence has lasted the configured time; At: just after the last voiced sample
)

// Event is a change of voice activity.
type Event struct {
	Kind    Kind
	At      time.Duration // media time of the boundary
	Arrived time.Time     // when the packet with the last voiced sample before At arrived; for SpeechStarted, the first
}

// Detector follows one stream of 16 kHz frames.
type Detector interface {
	// Observe takes the next frame and returns at most one event.
	Observe(audio.Frame) (Event, bool)
}
