// Package stt is the speech-to-text port: what the conversation asks of a
// recogniser. Each engine is a sub-folder; sttest holds the suite all must pass.
//
// May import: audio, internal/fault and the standard library.
// Concurrency: a Transcriber is safe for concurrent use, one call per utterance.
package stt

import (
	"context"
	"iter"
	"time"

	"parley/audio"
)

// Transcript is what an engine has understood so far.
type Transcript struct {
	Text       string
	Final      bool    // the last of its stream; at most one, and nothing follows it
	Confidence float64 // 0..1; 0 means the engine does not say
	Language   string  // BCP 47 ("en"); "" means the engine does not say
	Words      []Word  // may be empty
}

// Word is one recognised word; times count from the first sample of the utterance.
type Word struct {
	Text       string
	Start, End time.Duration
	Confidence float64
}

// Transcriber turns one utterance into text.
//
// speech yields frames of 16 kHz mono PCM in order and ends when the speaker
// has finished, or soon after ctx is done (an engine cannot interrupt a pull);
// its frames are lent (audio.Frame). An engine may use
// Frame.Activity: at the first Pause it may start a speculative decode, which
// holds only if no Voice frame follows. The stream yields any number of
// partials (Final false) and then one final transcript, whose text is empty
// when there was nothing to understand, or one error, which is the last
// element. It ends soon (within one frame, 20 ms) after ctx is done, yielding
// the context's error or nothing. When it has ended, no goroutine of the
// engine works for it any longer, and speech is not pulled again.
type Transcriber interface {
	Transcribe(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[Transcript, error]
}

// Func adapts a function to Transcriber.
type Func func(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[Transcript, error]

// Transcribe implements Transcriber.
func (f Func) Transcribe(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[Transcript, error] {
	return f(ctx, speech)
}
