package media

import (
	"strings"

	"github.com/pion/sdp/v3"

	"parley/internal/fault"
)

// The bounds of an offer. A browser's has one or two media lines, up to some
// twenty candidates, and less than 10 KB.
const (
	maxOfferBytes = 64 << 10
	maxMediaLines = 4
	maxCandidates = 64
)

// checkOffer refuses, in plain words, an offer that cannot become a call, before
// anything expensive or foreign looks at it.
func checkOffer(offer string) error {
	bad := func(format string, args ...any) error {
		return fault.Newf(fault.BadInput, "media: read offer", format, args...)
	}
	if offer == "" {
		return bad("offer is empty")
	}
	if len(offer) > maxOfferBytes {
		return bad("offer of %d bytes is over the limit of %d", len(offer), maxOfferBytes)
	}
	if n := countLines(offer, "m="); n > maxMediaLines {
		return bad("offer has %d media lines, at most %d are taken", n, maxMediaLines)
	}
	if n := countLines(offer, "a=candidate:"); n > maxCandidates {
		return bad("offer has %d candidates, at most %d are taken", n, maxCandidates)
	}
	var s sdp.SessionDescription
	if err := s.UnmarshalString(offer); err != nil {
		return bad("offer is not SDP: %w", err)
	}
	var audio []*sdp.MediaDescription
	for _, m := range s.MediaDescriptions {
		if m.MediaName.Media == "audio" && (m.MediaName.Port.Value != 0 || hasAttribute(m, "bundle-only")) {
			audio = append(audio, m)
		}
	}
	switch {
	case len(audio) == 0:
		return bad("offer has no audio")
	case len(audio) > 1:
		return bad("offer has %d audio lines; parley takes one", len(audio))
	case !offersOpus(audio[0]):
		return bad("offers no codec parley speaks (Opus)")
	}
	if setup, ok := audio[0].Attribute("setup"); ok && setup == "active" {
		return bad("offer insists on a=setup:active; an offer must say actpass (RFC 8842)")
	}
	return nil
}

// countLines counts the lines that begin with prefix.
func countLines(s, prefix string) int {
	n := strings.Count(s, "\n"+prefix)
	if strings.HasPrefix(s, prefix) {
		n++
	}
	return n
}

func hasAttribute(m *sdp.MediaDescription, name string) bool {
	_, ok := m.Attribute(name)
	return ok
}

// offersOpus looks for "a=rtpmap:<type> opus/48000/2" (RFC 7587 §7) of a
// payload type that the media line lists.
func offersOpus(m *sdp.MediaDescription) bool {
	listed := make(map[string]bool, len(m.MediaName.Formats))
	for _, f := range m.MediaName.Formats {
		listed[f] = true
	}
	for _, a := range m.Attributes {
		kind, codec, ok := strings.Cut(a.Value, " ")
		if a.Key == "rtpmap" && ok && listed[kind] && strings.EqualFold(strings.TrimSpace(codec), "opus/48000/2") {
			return true
		}
	}
	return false
}
