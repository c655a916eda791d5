// Package pocketsphinx understands English with the PocketSphinx library, in
// this process and without a network: the recogniser parley has when no better
// one is configured. Expect about one word in four wrong on free speech and
// nearly none in short questions spoken clearly.
//
// The final text comes from one decode of the whole utterance, which is far
// better than decoding as the words arrive. It starts at the first Pause and
// is thrown away if the speaker goes on, so that it is mostly done when the
// endpoint is decided. Partials come from a second, live decode, where a
// decoder is free for it; they are a preview and never part of the final.
//
// May import: stt, stt/internal, audio, internal/fault, the PocketSphinx C
// library and the standard library.
// Concurrency: an Engine is safe for concurrent use. Decoders are pooled and
// each serves one goroutine at a time. A decode that nobody wants any more
// stops at its next step, commonly within 5 ms and at worst in about 100 ms
// (the end of a long utterance is one uninterruptible C call). Transcribe does
// not wait for that: the goroutine belongs to the pool, whose Close waits.
//
// A damaged model file ends the process: the library exits. Only missing and
// empty files are found beforehand.
package pocketsphinx
