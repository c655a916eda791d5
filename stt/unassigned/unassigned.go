// Package unassigned is the recogniser of a server that has none: it says so.
//
// May import: stt, audio, internal/fault and the standard library.
// Concurrency: an Engine is safe for concurrent use.
package unassigned

import (
	"context"
	"iter"

	"parley/audio"
	"parley/internal/fault"
	"parley/stt"
)

// Engine fails every utterance with fault.Misconfigured, at once and without
// listening, so that the caller hears of it early.
type Engine struct{}

// Transcribe implements stt.Transcriber.
func (Engine) Transcribe(ctx context.Context, _ iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
	return func(yield func(stt.Transcript, error) bool) {
		err := ctx.Err()
		if err == nil {
			err = fault.Newf(fault.Misconfigured, "stt/unassigned: transcribe",
				"no speech-to-text engine is configured; set stt.engine")
		}
		yield(stt.Transcript{}, err)
	}
}
