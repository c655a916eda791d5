package loadtest

import (
	"net"
	"net/url"
	"strings"
)

// address is where a parley is reached.
type address struct {
	page   string // http(s), for people
	socket string // ws(s), the signaling socket
	offers string // http(s), where an SDP offer can be posted
	local  bool   // this very machine
}

// parseAddress reads what a person gives as a URL: http://host:port, or ws, or
// no scheme at all; with a path where a proxy adds one. A socket's own address
// (ending in /ws) is understood too.
func parseAddress(raw string) (address, error) {
	raw, _ = SplitKey(raw)
	text := raw
	if text == "" {
		return address{}, failf(BadUsage, nil, "No address given: say where parley is, such as http://127.0.0.1:8080.")
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return address{}, failf(BadUsage, err, "%q is not an address: it should look like http://127.0.0.1:8080.", raw)
	}
	secure, known := map[string]string{"http": "", "ws": "", "https": "s", "wss": "s"}[strings.ToLower(u.Scheme)]
	if !known {
		return address{}, failf(BadUsage, nil, "%q begins with %s://, which parley does not speak: use http:// or https://.", raw, u.Scheme)
	}
	base := u.Host + strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/ws")
	ip := net.ParseIP(u.Hostname())
	return address{
		page:   "http" + secure + "://" + base,
		socket: "ws" + secure + "://" + base + "/ws",
		offers: "http" + secure + "://" + base + "/v1/realtime/calls",
		local:  u.Hostname() == "localhost" || ip != nil && ip.IsLoopback(),
	}, nil
}

// SplitKey takes the key out of a page's address, which is where parley prints
// it: http://host:port/#key=K. The address it returns has no fragment and can be
// shown to anybody; key is "" where there is none.
func SplitKey(raw string) (address, key string) {
	address, fragment, _ := strings.Cut(strings.TrimSpace(raw), "#")
	// A fragment that is no query in parts still is in others.
	fields, _ := url.ParseQuery(fragment)
	return address, fields.Get("key")
}
