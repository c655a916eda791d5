package signaling

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// keyProtocol is the subprotocol in which browsers may show the key, as the
// OpenAI clients do.
const keyProtocol = "openai-insecure-api-key."

// Guard wraps a route that is to be reached under the same conditions as the
// Server's own: from an allowed origin, and with the key where there is one.
func (s *Server) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := s.checkOrigin(r)
		if p == nil {
			p = s.checkKey(r)
		}
		if p != nil {
			s.refuse(w, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkKey demands the key in the request's headers. From an address that has
// shown too many wrong ones it takes none, not even the right one: nothing must
// tell a guesser that it was.
func (s *Server) checkKey(r *http.Request) *problem {
	if s.config.Key == "" {
		return nil
	}
	shown, ip := shownKey(r), s.clientIP(r)
	switch {
	case shown == "":
		return badKey(false)
	case !s.clients.mayGuess(ip, now()):
		return &problem{status: http.StatusTooManyRequests, code: "rate_limited", message: "Too many wrong keys came from this address; wait a minute.", retry: 60}
	case s.keyOK(shown):
		return nil
	}
	s.clients.guessed(ip, now())
	return badKey(true)
}

func badKey(shown bool) *problem {
	message := "This server asks for a key; send it as Authorization: Bearer KEY."
	if shown {
		message = "The key is wrong; compare it with the one the server was started with."
	}
	return &problem{status: http.StatusUnauthorized, code: "invalid_api_key", message: message}
}

// keyOK compares in constant time, whatever the length of what was shown.
func (s *Server) keyOK(shown string) bool {
	a, b := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(s.config.Key))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// shownKey is the key in a request's headers, or "".
func shownKey(r *http.Request) string {
	if scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(key)
	}
	for _, p := range protocols(r) {
		if key, ok := strings.CutPrefix(p, keyProtocol); ok {
			return key
		}
	}
	return ""
}

// protocols lists the WebSocket subprotocols a client offers.
func protocols(r *http.Request) []string {
	var list []string
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			list = append(list, strings.TrimSpace(p))
		}
	}
	return list
}

// checkOrigin refuses pages of foreign origins, and a page that reached this
// server under a name that is not its own (DNS rebinding).
func (s *Server) checkOrigin(r *http.Request) *problem {
	refuse := func(code, message string) *problem {
		return &problem{status: http.StatusForbidden, code: code, message: message}
	}
	if !s.hostOK(r) {
		return refuse("unknown_host", "The server is not known by this name; use its address, or add the name's origin to signaling.allowed_origins.")
	}
	origins := r.Header.Values("Origin")
	switch {
	case len(origins) == 0 && isUpgrade(r) && isBrowser(r):
		return refuse("missing_origin", "The request of a browser must say its origin.")
	case len(origins) == 0 || len(origins) == 1 && s.originOK(origins[0], r.Host):
		return nil
	}
	return refuse("forbidden_origin", "Pages of this origin may not call here; add it to signaling.allowed_origins to let them.")
}

// originOK tells whether a page of that origin may call. The scheme is not
// compared with the server's own: a proxy in front may have ended TLS.
func (s *Server) originOK(origin, host string) bool {
	if slices.Contains(s.config.AllowedOrigins, "*") || slices.Contains(s.config.AllowedOrigins, strings.ToLower(origin)) {
		return true
	}
	u, err := parseOrigin(strings.ToLower(origin))
	return err == nil && strings.EqualFold(u.Host, host)
}

// hostOK tells whether the server may be called by the name in r.Host. Where a
// key is asked for, a foreign name gains nothing.
func (s *Server) hostOK(r *http.Request) bool {
	if s.config.Key != "" || slices.Contains(s.config.AllowedOrigins, "*") {
		return true
	}
	host := strings.ToLower(r.Host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	return slices.ContainsFunc(s.config.AllowedOrigins, func(o string) bool {
		u, err := url.Parse(o)
		return err == nil && u.Hostname() == host
	})
}

func isUpgrade(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

func isBrowser(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "" || strings.HasPrefix(r.UserAgent(), "Mozilla/")
}

// clientIP is the address of the client, as far as the proxies in between are trusted.
func (s *Server) clientIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a listener without addresses; all its clients count as one
	}
	ip := ap.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.isProxy(ip); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = hop.Unmap().WithZone("")
	}
	return ip
}

func (s *Server) isProxy(ip netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}
