package vad

import (
	"time"

	"parley/audio"
)

const arrivalsKept = 64 // 1.3 s of frames of 20 ms

// arrival says where in media time, and when, a frame's first sample came.
type arrival struct {
	position int64 // on the clock of samples heard
	media    time.Duration
	arrived  time.Time
}

// arrivals is a ring of the last frames.
type arrivals struct {
	ring  [arrivalsKept]arrival
	count int
}

func (a *arrivals) add(v arrival) {
	a.ring[a.count%arrivalsKept] = v
	a.count++
}

// locate returns the media time of a position and the arrival of its frame. A
// position from before the ring is reckoned from its oldest frame.
func (a *arrivals) locate(position int64) (time.Duration, time.Time) {
	var found arrival
	for i := a.count - 1; i >= 0 && i >= a.count-arrivalsKept; i-- {
		if found = a.ring[i%arrivalsKept]; found.position <= position {
			break
		}
	}
	offset := time.Duration(position-found.position) * time.Second / audio.SpeechRate
	return max(found.media+offset, 0), found.arrived
}
