// Package playout sends PCM to a caller as paced Opus over RTP: the first
// packet at once, then one every 20 ms on a schedule of absolute deadlines, so
// that stopping takes effect within a frame and what was played is known.
//
// May import: audio, media/opus and pion/rtp.
// Concurrency: a Player owns one goroutine, which Close waits for; it sleeps
// without a timer while nothing is played. All methods may be called from
// several goroutines, except Track.Write, which belongs to one.
package playout

import (
	"errors"
	"time"

	"parley/audio"
)

const (
	frame = audio.FrameDuration

	// Buffer is how much PCM may wait in a Track before Write blocks.
	Buffer = 200 * time.Millisecond

	// grace is how late PCM may come and still continue its talkspurt: the
	// listener's jitter buffer covers one frame. Later is an underrun.
	grace = frame

	// maxLate is how far the schedule may fall behind (a machine that was busy
	// or asleep) and still be caught up with; beyond it starts anew, rather
	// than send a burst.
	maxLate = 100 * time.Millisecond

	// JitterBufferGuess is the delay assumed between the arrival of a packet
	// and its sound: a browser's jitter buffer on a calm network holds 35 to
	// 50 ms, and the sound card takes the rest. RTCP tells nothing about it.
	JitterBufferGuess = 60 * time.Millisecond
)

// Errors of Track.
var (
	ErrStopped = errors.New("playout: stopped")
	ErrDrained = errors.New("playout: write after drain")
)

// Played is a position in a Track.
type Played struct {
	Sent time.Duration // audio sent as RTP
	// Heard is Sent less what must still be on its way: sent within the last
	// RTT/2 + JitterBufferGuess, by RTCP receiver reports. It never runs
	// backwards and equals Sent until a report has come.
	Heard time.Duration
}

// Stats counts what a Player did since it was made.
type Stats struct {
	Packets    uint64
	Talkspurts uint64
	Underruns  uint64 // PCM came too late: the talkspurt ended and began again
	Stalls     uint64 // the schedule fell more than maxLate behind
	Failed     uint64 // packets that could not be encoded or written
}
