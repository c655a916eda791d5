// Package realtime speaks the OpenAI Realtime (GA) vocabulary: Decode turns a
// client's JSON event into conversation inputs, and an Encoder turns
// conversation events into server events, in the order that stock clients
// rely on. What the vocabulary lacks goes in events named parley.*.
//
// May import: conversation, internal/fault, internal/timeline. Never net/http,
// pion or a websocket library: it sees bytes only.
// Concurrency: Decode is a pure function. An Encoder belongs to one goroutine.
package realtime
