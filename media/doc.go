// Package media is the RTP edge: it answers a caller's offer, turns the packets
// that come in into 16 kHz frames on an unbroken media time line, plays replies
// back as paced RTP, and carries events on the data channel.
//
// Edge holds what all calls share (ports, certificate, codec settings); Peer is
// one call's connection; Receiver is the pure part of its receiving half.
//
// May import: audio, conversation (only to offer itself as its Speaker),
// internal/fault, media/opus, media/reorder, media/playout, pion.
// Concurrency: Edge and Peer may be used from several goroutines. Every
// goroutine of a Peer ends before its Close returns; Handler methods are called
// from them, must not block, and must not call Close. A Receiver belongs to one
// goroutine and reads no clock.
package media

import (
	"time"

	"parley/media/opus"
)

// EncoderLookahead is how much older than its packet's nominal start the sound
// in an Opus packet is: media times of received frames are late by this much.
// It is half a window of a voice activity detector, so nothing corrects for it.
const EncoderLookahead time.Duration = opus.Lookahead
