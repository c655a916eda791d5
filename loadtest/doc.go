// Package loadtest is the caller's side of a call, in software: a Pion peer that
// plays recordings as a microphone would, hears the answer and measures the wait.
// `parley call`, the whole-call tests and the benchmarks are made of it. It sees
// only what a browser sees: the signaling socket, the media and the events.
//
// How a turn is measured, the same for everybody: from the moment the last
// packet with speech is sent (see NewClip for which frame that is) to the
// arrival of the first audible packet of the answer, one whose decoded sound is
// louder than AudibleLevel. Both moments are taken in this process.
//
// May import: audio, internal/timeline and the standard library, Pion,
// gorilla/websocket and libopus; neither app nor conversation.
// Concurrency: a Caller may be used from any goroutine, but one turn at a time.
// Its goroutines end before Hangup returns. Waiting is done on contexts, timers
// and channels only, so that whole calls run in testing/synctest.
package loadtest
