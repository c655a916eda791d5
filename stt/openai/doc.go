// Package openai understands speech with any server that offers the OpenAI
// transcription API: the cloud, whisper.cpp, Speaches, vLLM, LocalAI and others.
// The utterance goes out as one WAV file when the speaker has finished, or, with
// Config.Speculate, at the first pause. There are no partials.
//
// May import: stt, stt/internal, audio, internal/endpoint, internal/fault, the
// OpenAI client and the standard library.
// Concurrency: an Engine is safe for concurrent use; all its requests share one
// pool of connections. A request ends with the stream it belongs to.
package openai
