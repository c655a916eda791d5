package signaling

import (
	"fmt"
	"net/http"
	"strings"
)

// What an offer may hold. Audio both ways and a data channel take two media
// sections; a browser lists some ten candidates.
const (
	maxSections   = 4
	maxCandidates = 64
)

// checkOffer refuses what is no offer, or far too much of one, before it is parsed.
func checkOffer(sdp string) *problem {
	bad := func(format string, args ...any) *problem {
		return &problem{status: http.StatusBadRequest, code: "invalid_offer", message: fmt.Sprintf(format, args...)}
	}
	switch {
	case strings.TrimSpace(sdp) == "":
		return bad("The offer is empty; send the SDP of an RTCPeerConnection's offer.")
	case len(sdp) > MaxMessage:
		return bad("The offer is larger than %d KB.", MaxMessage>>10)
	case !strings.HasPrefix(sdp, "v=0"):
		return bad("The offer is not SDP: it does not begin with v=0.")
	}
	sections, candidates := 0, 0
	for line := range strings.Lines(sdp) {
		switch {
		case strings.HasPrefix(line, "m="):
			sections++
		case strings.HasPrefix(line, "a=candidate:"):
			candidates++
		}
	}
	switch {
	case sections == 0:
		return bad("The offer has no media section.")
	case sections > maxSections:
		return bad("The offer has %d media sections; at most %d are allowed.", sections, maxSections)
	case candidates > maxCandidates:
		return bad("The offer has %d candidates; at most %d are allowed.", candidates, maxCandidates)
	}
	return nil
}

// connectionID tells one peer connection of a client from the next: the session
// id of its origin line, which is the same in all its offers (RFC 8829, section
// 5.2.2), and its certificate's fingerprint.
func connectionID(sdp string) string {
	var session, fingerprint string
	for line := range strings.Lines(sdp) {
		line = strings.TrimRight(line, "\r\n")
		if rest, ok := strings.CutPrefix(line, "o="); ok && session == "" {
			if fields := strings.Fields(rest); len(fields) > 1 {
				session = fields[1]
			}
		}
		if rest, ok := strings.CutPrefix(line, "a=fingerprint:"); ok && fingerprint == "" {
			fingerprint = strings.ToLower(rest)
		}
	}
	return session + " " + fingerprint
}
