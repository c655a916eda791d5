package media

import (
	"time"

	"parley/conversation"
	"parley/media/playout"
)

// speaker is a playout.Player as the conversation wants it.
type speaker struct{ player *playout.Player }

// Start implements conversation.Speaker.
func (s speaker) Start(onFirst func(at time.Time)) conversation.Playback {
	return playback{s.player.Start(onFirst)}
}

type playback struct{ *playout.Track }

func (p playback) Stop() conversation.Played   { return conversation.Played(p.Track.Stop()) }
func (p playback) Played() conversation.Played { return conversation.Played(p.Track.Played()) }
