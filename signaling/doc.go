// Package signaling is how a call starts and ends: the WebSocket at /ws, SDP
// over HTTP at /v1/realtime/calls, and the resume tokens that bring a
// conversation back after a lost socket. It carries a call's events to its
// client, on the data channel where that is open and on the socket otherwise.
// What a call consists of it asks of a Backend.
//
// May import: conversation (its inputs and events), internal/fault, its own
// sub-packages, gorilla/websocket, x/time/rate. Never media, pion, observe or
// an adapter.
// Concurrency: a Server's methods may be called from any goroutine. Every call
// has one goroutine that owns its state; every socket has a reader (the
// handler's goroutine) and a writer. Shutdown waits for all of them.
package signaling
