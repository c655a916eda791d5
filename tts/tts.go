// Package tts is the text-to-speech port: what the conversation asks of a
// voice. Each engine is a sub-folder; ttstest holds the suite all must pass;
// speakable makes text fit to be read aloud.
//
// May import: audio, internal/fault and the standard library.
// Concurrency: a Voice is safe for concurrent use, one call per reply.
package tts

import (
	"context"
	"iter"
	"time"
)

// Speech is a piece of the voice: up to a few hundred milliseconds of mono PCM
// at one of the rates Opus encodes (8, 12, 16, 24 or 48 kHz; RFC 6716 §2), the
// same throughout one stream. PCM is lent: valid until the loop body returns.
type Speech struct {
	PCM  []int16
	Rate int
	// Clause is set on the first piece of each clause, to the clause exactly
	// as it was pulled from text. Every clause pulled gets one, even where it
	// makes no sound (then PCM may be empty).
	Clause string
	// Words are the words that begin in audio known so far and were not
	// reported before, in order. Empty when the engine cannot tell.
	Words []Word
}

// Word is one spoken word; times count from the first sample of the stream.
type Word struct {
	Text       string
	Start, End time.Duration
}

// Voice speaks one reply.
//
// text yields clauses, already speakable, as they become known; pulling it may
// block on the language model, and an engine starts to speak the first clause
// before it asks for the third. It may be pulled from another goroutine than
// the stream is read on, so that audio flows while the model thinks. It must end
// soon after ctx is done; a pull under way when the stream ends is not waited for.
//
// The stream yields audio from the first piece on, or one error, which is the
// last element. It ends soon (within one frame, 20 ms) after ctx is done,
// yielding the context's error or nothing, and then neither pulls text nor
// keeps a goroutine or child process busy.
type Voice interface {
	Speak(ctx context.Context, text iter.Seq[string]) iter.Seq2[Speech, error]
}

// Func adapts a function to Voice.
type Func func(ctx context.Context, text iter.Seq[string]) iter.Seq2[Speech, error]

// Speak implements Voice.
func (f Func) Speak(ctx context.Context, text iter.Seq[string]) iter.Seq2[Speech, error] {
	return f(ctx, text)
}
