// Package conversation decides whose turn it is. A pure state machine (step)
// takes what was heard, understood, generated and asked for, and returns what
// to do; one goroutine per call owns its state and performs the effects.
//
// May import: audio, internal/fault, internal/timeline, the ports (media/vad,
// stt, llm, tts) and its own sub-packages. Never pion, net/http, observe or an
// adapter.
// Concurrency: Hear is called by one goroutine, the media receiver, on which the
// detector runs; Send, UseSpeaker and HangUp from any. Every goroutine of a call is waited for before Run returns.
package conversation
