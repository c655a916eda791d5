// Package silero runs the Silero voice activity network, version 6.2 at
// 16 kHz, in plain Go. The weights are read from the published ONNX file; no
// shared library takes part.
//
// The network (https://github.com/snakers4/silero-vad) takes 64 samples of
// context and 512 new ones: short-time spectrum of 4 frames, four convolutions
// over time, one LSTM cell, one weighted sum. About 0.35 million
// multiplications a window.
//
// May import: audio, media/vad and protobuf's wire format.
// Concurrency: a Model is immutable and shared by all calls; a Scorer belongs
// to one goroutine.
package silero
