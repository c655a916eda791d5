package signaling

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// routes is every way in. A new one belongs here.
var routes = [][2]string{
	{"GET", "/ws"}, {"GET", "/api/config"}, {"POST", callsPath}, {"DELETE", callsPath + "/x"},
	{"POST", callsPath + "/x/hangup"}, {"GET", "/v1/realtime/other"},
}

func TestEveryRouteNeedsTheKey(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Config.Key = "right" })
	for _, route := range routes {
		for _, shown := range []string{"", "Bearer wrong", "Bearer ", "Bearer right ish", "Basic right", "right", "Bearer " + strings.Repeat("x", 4000)} {
			if route[1] == "/ws" && !strings.HasPrefix(shown, "Bearer ") || shown == "Bearer " {
				continue // the key may follow in the first message; see below
			}
			resp, body := r.do(route[0], route[1], "", "Authorization", shown)
			wantProblem(t, resp, body, http.StatusUnauthorized, "invalid_api_key")
		}
		for _, shown := range []string{"Bearer right", "bearer  right"} {
			if resp, _ := r.do(route[0], route[1], "", "Authorization", shown); resp.StatusCode == http.StatusUnauthorized {
				t.Errorf("%s %s: the key was refused", route[0], route[1])
			}
		}
	}
	guarded := httptest.NewServer(r.server.Guard(http.NotFoundHandler()))
	defer guarded.Close()
	for shown, status := range map[string]int{"": 401, "Bearer wrong": 401, "Bearer right": 404} {
		inner := &rig{t: t, url: guarded.URL}
		if resp, _ := inner.do("GET", "/", "", "Authorization", shown); resp.StatusCode != status {
			t.Errorf("guarded, %q: got %d, want %d", shown, resp.StatusCode, status)
		}
	}
}

func TestSocketKey(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Config.Key = "right" })
	for _, join := range []string{`{"v":1,"type":"join"}`, `{"v":1,"type":"join","key":"wrong"}`, `{"v":1,"type":"join","key":""}`} {
		c := r.connect(nil)
		c.say(join)
		c.wantError("invalid_api_key")
		c.wantClose(websocket.ClosePolicyViolation)
	}
	for name, header := range map[string]http.Header{
		"bearer":      {"Authorization": {"Bearer right"}},
		"subprotocol": {"Sec-Websocket-Protocol": {"realtime, openai-insecure-api-key.right, openai-agents-sdk.1"}},
	} {
		c := r.connect(header)
		c.say(`{"v":1,"type":"join"}`)
		c.want("joined")
		if name == "subprotocol" && c.ws.Subprotocol() != "realtime" {
			t.Errorf("selected %q", c.ws.Subprotocol())
		}
	}
	r.join(`"key":"right"`)
	_, resp, err := r.tryConnect(http.Header{"Sec-Websocket-Protocol": {"openai-insecure-api-key.wrong"}})
	if err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong key as subprotocol: got %v, %v", resp, err)
	}
	only := r.connect(http.Header{"Sec-Websocket-Protocol": {"openai-insecure-api-key.right"}})
	if got := only.ws.Subprotocol(); got != "openai-insecure-api-key.right" {
		t.Errorf("selected %q; browsers close the connection where none is", got)
	}
}

func TestOrigins(t *testing.T) {
	const open = "https://pages.example.com"
	for _, tt := range []struct {
		name, origin string
		allowed      []string
		ok           bool
	}{
		{"none", "", nil, true},
		{"own", "http://HOST", nil, true},
		{"own behind TLS", "https://HOST", nil, true},
		{"foreign", "https://evil.example", nil, false},
		{"null", "null", nil, false},
		{"own port differs", "http://127.0.0.1:1", nil, false},
		{"suffix trick", "http://HOST.evil.example", nil, false},
		{"prefix trick", "http://evil.example/HOST", nil, false},
		{"user trick", "http://HOST@evil.example", nil, false},
		{"listed", open, []string{open}, true},
		{"listed in other case", strings.ToUpper(open), []string{open}, true},
		{"not the one listed", "https://pages.example.com.evil", []string{open}, false},
		{"other scheme than listed", "http://pages.example.com", []string{open}, false},
		{"any", "https://evil.example", []string{"*"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Config.AllowedOrigins = tt.allowed })
			origin := strings.ReplaceAll(tt.origin, "HOST", strings.TrimPrefix(r.url, "http://"))
			header := http.Header{}
			if origin != "" {
				header.Set("Origin", origin)
			}
			_, resp, err := r.tryConnect(header)
			if (err == nil) != tt.ok || !tt.ok && resp.StatusCode != http.StatusForbidden {
				t.Errorf("socket: got %v, %v", resp, err)
			}
			for _, route := range routes[1:] {
				var list []string
				if origin != "" {
					list = []string{"Origin", origin}
				}
				resp, _ := r.do(route[0], route[1], "", list...)
				if (resp.StatusCode != http.StatusForbidden) != tt.ok {
					t.Errorf("%s %s: got %d", route[0], route[1], resp.StatusCode)
				}
			}
			resp, _ = r.do("OPTIONS", callsPath, "", "Origin", origin, "Access-Control-Request-Method", "POST")
			got := resp.Header.Get("Access-Control-Allow-Origin")
			if origin != "" && (got == origin) != tt.ok {
				t.Errorf("preflight: got %q for %q", got, origin)
			}
			if tt.ok && origin != "" && !strings.Contains(resp.Header.Get("Access-Control-Expose-Headers"), "Location") {
				t.Error("Location is not exposed")
			}
		})
	}
}

// A page that was served under a foreign name which now points here may not
// call, though its origin is that of the request.
func TestForeignNames(t *testing.T) {
	for _, tt := range []struct {
		host, key string
		allowed   []string
		ok        bool
	}{
		{"evil.example:8080", "", nil, false},
		{"localhost:8080", "", nil, true},
		{"parley.localhost", "", nil, true},
		{"192.168.1.5:8080", "", nil, true},
		{"[::1]:8080", "", nil, true},
		{"talk.example.com", "", []string{"https://talk.example.com"}, true},
		{"evil.example", "", []string{"https://talk.example.com"}, false},
		{"evil.example", "right", nil, true}, // it does not have the key
	} {
		s, err := New(Options{Config: withKey(tt.key, tt.allowed), Backend: newFakeBackend()})
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequest("GET", "/api/config", nil)
		req.Host = tt.host
		req.Header.Set("Origin", "http://"+tt.host)
		req.Header.Set("Authorization", "Bearer "+tt.key)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		if (w.Code == http.StatusOK) != tt.ok {
			t.Errorf("%s with %v: got %d", tt.host, tt.allowed, w.Code)
		}
	}
}

func withKey(key string, allowed []string) Config {
	c := DefaultConfig()
	c.Key, c.AllowedOrigins = key, allowed
	return c
}

func TestBrowserWithoutOrigin(t *testing.T) {
	r := newRig(t)
	for _, header := range []http.Header{{"User-Agent": {"Mozilla/5.0"}}, {"Sec-Fetch-Mode": {"websocket"}}} {
		_, resp, err := r.tryConnect(header)
		if err == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%v: got %v, %v", header, resp, err)
		}
	}
	if resp, _ := r.do("GET", "/api/config", "", "User-Agent", "Mozilla/5.0"); resp.StatusCode != http.StatusOK {
		t.Errorf("a page's own fetch, which has no origin: got %d", resp.StatusCode)
	}
}

func TestClientIP(t *testing.T) {
	s, err := New(Options{Config: func() Config {
		c := DefaultConfig()
		c.TrustedProxies = []string{"10.0.0.0/8", "127.0.0.1"}
		return c
	}(), Backend: newFakeBackend()})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"203.0.113.9:1", "", "203.0.113.9"},
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"}, // not a proxy: it may say what it likes
		{"127.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:1", "6.6.6.6, 198.51.100.1, 10.1.2.3", "198.51.100.1"},
		{"127.0.0.1:1", "nonsense", "127.0.0.1"},
		{"[::ffff:203.0.113.9]:1", "", "203.0.113.9"},
		{"[2001:db8::1%eth0]:1", "", "2001:db8::1"},
		{"pipe", "", "invalid IP"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.remote
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := s.clientIP(r).String(); got != tt.want {
			t.Errorf("%s for %s: got %s, want %s", tt.remote, tt.forwarded, got, tt.want)
		}
	}
}

// Guessing the key is limited, wherever it may be shown; each way in counts.
func TestWrongKeysAreLimited(t *testing.T) {
	for _, way := range []string{"guarded", "/api/config", "/v1/realtime/other", "/ws"} {
		config := withKey("right", nil)
		config.JoinsPerMinute = 3
		s, err := New(Options{Config: config, Backend: newFakeBackend()})
		if err != nil {
			t.Fatal(err)
		}
		try := func(path, key, from string) int {
			r := httptest.NewRequest("GET", "/"+strings.TrimPrefix(path, "/"), nil)
			r.RemoteAddr = from
			r.Header.Set("Authorization", "Bearer "+key)
			w := httptest.NewRecorder()
			if path == "guarded" {
				s.Guard(http.NotFoundHandler()).ServeHTTP(w, r)
			} else {
				s.ServeHTTP(w, r)
			}
			return w.Code
		}
		const guesser, other, local = "203.0.113.9:1", "203.0.113.10:1", "127.0.0.1:1"
		for i, want := range []int{401, 401, 401, 429} {
			if got := try(way, "wrong", guesser); got != want {
				t.Errorf("%s: wrong key %d: got %d, want %d", way, i, got, want)
			}
			if got := try(way, "wrong", local); got != 401 {
				t.Errorf("%s: from this machine: got %d", way, got)
			}
		}
		for _, p := range []string{"/api/config", way} {
			if got := try(p, "right", guesser); got != 429 {
				t.Errorf("%s, then the right key on %s: got %d, which tells the guesser", way, p, got)
			}
		}
		if got := try("/api/config", "right", other); got != 200 {
			t.Errorf("%s: another address: got %d", way, got)
		}
		if s.clients.join(netip.MustParseAddr("203.0.113.9"), time.Now()) {
			t.Errorf("%s: a guesser may still join", way)
		}
	}
}

func TestJoinsDoNotCountAsGuesses(t *testing.T) {
	b := addressBook{sockets: 2, joins: 2, book: map[netip.Addr]*address{}}
	at, ip := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), netip.MustParseAddr("203.0.113.9")
	for range 5 {
		b.join(ip, at)
	}
	if !b.mayGuess(ip, at) {
		t.Error("who joined often may no longer show the key")
	}
	b.guessed(ip, at)
	b.guessed(ip, at)
	if b.mayGuess(ip, at) || !b.mayGuess(ip, at.Add(time.Minute)) {
		t.Error("two wrong keys a minute, and no third")
	}
}

func TestAddressBookForgets(t *testing.T) {
	b := addressBook{sockets: 2, joins: 2, book: map[netip.Addr]*address{}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := netip.MustParseAddr("2001:db8::1")
	neighbour := netip.MustParseAddr("2001:db8::2") // of the same network
	if !b.open(first, at) || !b.open(neighbour, at) || b.open(first, at) {
		t.Error("two sockets of a network, and no third")
	}
	if !b.join(first, at) || !b.join(neighbour, at) || b.join(first, at) {
		t.Error("two joins of a network, and no third")
	}
	for i := range 5 * keepAddresses {
		b.join(netip.AddrFrom4([4]byte{9, 9, byte(i >> 8), byte(i)}), at.Add(time.Duration(i)*time.Millisecond))
	}
	if len(b.book) > keepAddresses {
		t.Errorf("%d addresses are remembered", len(b.book))
	}
	if b.open(first, at) {
		t.Error("an address with sockets was forgotten")
	}
	b.close(first)
	if !b.open(first, at) {
		t.Error("a closed socket still counts")
	}
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"resume_window":    func(c *Config) { c.ResumeWindow = 0 },
		"join_timeout":     func(c *Config) { c.JoinTimeout = 2 * time.Hour },
		"ping_interval":    func(c *Config) { c.PingInterval = -1 },
		"max_calls":        func(c *Config) { c.MaxCalls = -1 },
		"sockets_per_ip":   func(c *Config) { c.SocketsPerIP = 0 },
		"joins_per_minute": func(c *Config) { c.JoinsPerMinute = 0 },
		"key":              func(c *Config) { c.Key = "two words" },
		"allowed_origins":  func(c *Config) { c.AllowedOrigins = []string{"example.com"} },
		"trusted_proxies":  func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/99"} },
		"ice_servers":      func(c *Config) { c.ICEServers = []ICEServer{{}} },
		"not a stun:":      func(c *Config) { c.ICEServers = []ICEServer{{URLs: []string{"stun:a.example", "http://x"}}} },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := New(Options{Config: c, Backend: newFakeBackend()}); err == nil {
			t.Errorf("%s: a server was made", name)
		}
	}
	if _, err := New(Options{Config: DefaultConfig()}); err == nil {
		t.Error("a server without a backend was made")
	}
}
