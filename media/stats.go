package media

import (
	"time"

	"parley/media/playout"
)

// Stats counts what happened to one peer's media and events.
type Stats struct {
	In  IntakeStats
	Out playout.Stats
	// RTT is the last round-trip time that RTCP told of; 0 until it has.
	RTT time.Duration
	// Messages on the data channel: taken from the caller, of these dropped for
	// being too many, sent to the caller, and refused by the channel.
	MessagesIn, MessagesDropped, MessagesOut, MessagesRefused uint64
}

// Stats returns the counters so far.
func (p *Peer) Stats() Stats {
	return Stats{
		In: p.in.stats(), Out: p.player.Stats(), RTT: time.Duration(p.rtt.Load()),
		MessagesIn: p.events.received.Load(), MessagesDropped: p.events.dropped.Load(),
		MessagesOut: p.events.sent.Load(), MessagesRefused: p.events.refused.Load(),
	}
}
