package media

import (
	"slices"
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

// remoteICE is what offers said of the caller's addresses since the last ICE
// restart. The ICE agent keeps every candidate until then, so that offers must
// not add to them without end.
type remoteICE struct {
	users      []string        // every a=ice-ufrag of the offer that (re)started
	candidates map[string]bool // every a=candidate since
}

func newRemoteICE(offer string) remoteICE {
	r := remoteICE{users: values(offer, "a=ice-ufrag:"), candidates: map[string]bool{}}
	for _, c := range values(offer, "a=candidate:") {
		r.candidates[c] = true
	}
	return r
}

// take adds the candidates of an offer, or tells that it restarts ICE: then none
// of its users was known before.
func (r *remoteICE) take(offer string) (restart bool, err error) {
	known := func(user string) bool { return slices.Contains(r.users, user) }
	if !slices.ContainsFunc(values(offer, "a=ice-ufrag:"), known) {
		return true, nil
	}
	for _, c := range values(offer, "a=candidate:") {
		if !r.candidates[c] && len(r.candidates) >= maxCandidates {
			return false, fault.Newf(fault.BadInput, "media: read offer", "offers hold more than %d candidates; restart ICE", maxCandidates)
		}
		r.candidates[c] = true
	}
	return false, nil
}

// values lists what follows prefix in the lines that begin with it.
func values(s, prefix string) (list []string) {
	for line := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == '\r' || c == '\n' }) {
		if v, ok := strings.CutPrefix(line, prefix); ok {
			list = append(list, v)
		}
	}
	return list
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
