package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"parley/loadtest"
	"parley/media"
)

// logBook is a log that may be read while it is written.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// started is a server under test.
type started struct {
	Running
	log  *logBook
	stop func() error // ends it and waits; as often as one likes
}

func start(t testing.TB, cfg Config, o Options) started {
	t.Helper()
	s := started{log: &logBook{}}
	o.Log = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Version = "test"
	ready, over := make(chan Running, 1), make(chan error, 1)
	o.Ready = func(r Running) { ready <- r }
	ctx, cancel := context.WithCancel(context.Background())
	go func() { over <- Serve(ctx, cfg, o) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-over })
	select {
	case s.Running = <-ready:
	case err := <-over:
		cancel()
		t.Fatalf("it did not start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("it ended with: %v", err)
		}
	})
	return s
}

// noLeak checks at the end of a test that its goroutines are gone.
func noLeak(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t)
	})
}

func get(t *testing.T, url, key string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// Without any setting nobody but this machine can reach parley.
func TestDefaultsStayOnThisMachine(t *testing.T) {
	c := DefaultConfig()
	for _, address := range []string{c.Listen, c.Media.UDPAddress, c.Media.TCPAddress} {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("it listens on %s", address)
		}
	}
	if made, err := secure(&c); made != "" || err != nil || c.Key != "" {
		t.Errorf("a key is asked for: %q, %v", made, err)
	}
}

// A whole call, and what is left of it where people and machines look.
func TestServeACall(t *testing.T) {
	noLeak(t)
	cfg := healthy(t)
	s := start(t, cfg, Options{})
	call, err := loadtest.Dial(t.Context(), loadtest.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	turn, err := call.Write(t.Context(), "what time is it?")
	if err != nil || turn.Reply != "It is noon." {
		t.Errorf("answered %q, %v", turn.Reply, err)
	}
	if status, body := get(t, s.URL+"/healthz", ""); status != http.StatusOK || !strings.Contains(body, `"calls":1`) {
		t.Errorf("health during a call: %d %s", status, body)
	}
	id := call.ID()
	call.Hangup()
	if _, body := get(t, s.URL+"/metrics", ""); !strings.Contains(body, "parley_peer_connections") || strings.Contains(body, "noon") {
		t.Errorf("metrics lack the peers or show what was said:\n%s", body)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}

	again := start(t, cfg, Options{})
	status, body := get(t, again.URL+"/api/calls/"+id+"/turns", "")
	var got struct {
		Call  struct{ Cause string }
		Turns []struct{ User, Reply, Status string }
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK || len(got.Turns) != 1 ||
		got.Turns[0].User != "what time is it?" || got.Turns[0].Reply != "It is noon." || got.Call.Cause == "" {
		t.Errorf("after a restart: %d %s (%v)", status, body, err)
	}
}

// The end of the server is a farewell to its callers.
func TestServeSaysGoodbye(t *testing.T) {
	noLeak(t)
	s := start(t, healthy(t), Options{})
	ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(s.URL, "http", "ws", 1)+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	defer ws.Close()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"v":1,"type":"join"}`)); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	var said []string
	for {
		_, message, err := ws.ReadMessage()
		if err != nil {
			if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
				t.Errorf("the socket ends with %v", err)
			}
			break
		}
		if said = append(said, string(message)); len(said) == 1 { // it joined
			go func() { over <- s.stop() }()
		}
	}
	if err := <-over; err != nil {
		t.Errorf("it ended with: %v", err)
	}
	if last := said[len(said)-1]; !strings.Contains(last, `"type":"bye"`) || !strings.Contains(last, `"reason":"shutdown"`) {
		t.Errorf("the caller is told %s", last)
	}
	if !strings.Contains(s.log.String(), `"msg":"shutting down","calls":1`) {
		t.Errorf("the log does not say how many calls were cut short:\n%s", s.log)
	}
}

// On other addresses than loopback there is a key; one that was made up is
// told to whoever started the server, and to nobody else.
func TestServeMakesAKey(t *testing.T) {
	noLeak(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") // tests keep to loopback; the address in force says otherwise
	if err != nil {
		t.Fatal(err)
	}
	cfg := healthy(t)
	cfg.Listen = "0.0.0.0:0"
	s := start(t, cfg, Options{Listener: l})
	if len(s.Key) < 32 {
		t.Fatalf("the key is %q", s.Key)
	}
	for key, want := range map[string]int{"": 401, "guess": 401, s.Key: 200} {
		if status, body := get(t, s.URL+"/api/calls", key); status != want {
			t.Errorf("with the key %q: %d %s", key, status, body)
		}
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.log.String(), s.Key) {
		t.Errorf("the log shows the key:\n%s", s.log)
	}
	other := cfg
	if made, err := secure(&other); err != nil || made == s.Key || other.Key.Reveal() != made {
		t.Errorf("the next key is %q, in force %q (%v)", made, other.Key.Reveal(), err)
	}
	other.Key = testKey
	if made, err := secure(&other); err != nil || made != "" || other.Key != testKey {
		t.Errorf("a key that is set is replaced by %q (%v)", made, err)
	}
}

func TestPageURL(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", "0.0.0.0:80": "http://127.0.0.1:80", "[::]:80": "http://127.0.0.1:80",
		"[::1]:80": "http://[::1]:80", "192.0.2.7:80": "http://192.0.2.7:80",
	} {
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := pageURL(a); got != want {
			t.Errorf("%s: got %s", address, got)
		}
	}
}

// Whatever part cannot start, the error is a sentence and nothing is left over.
func TestServeCannotStart(t *testing.T) {
	noLeak(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	tests := map[string]struct {
		change func(c *Config)
		want   string
	}{
		"address taken":   {func(c *Config) { c.Listen = taken }, "cannot listen on " + taken + ": address already in use; is another parley running? If not, choose another address with --listen"},
		"foreign address": {func(c *Config) { c.Listen, c.Key = "192.0.2.1:0", testKey }, "cannot listen on 192.0.2.1:0: cannot assign requested address; choose another address with --listen"},
		"engine":          {func(c *Config) { c.STT.Engine, c.STT.Pocketsphinx.ModelDir = "pocketsphinx", "/nonexistent" }, "stt.engine is pocketsphinx, which cannot start: model file: stat /nonexistent/en-us/mdef: no such file or directory (on Debian: apt-get install pocketsphinx-en-us)"},
		"weights":         {func(c *Config) { c.VAD.Engine, c.Models = "silero", c.Data }, "vad.engine is silero, which cannot start: the weights silero_vad_v6.onnx are nowhere to be found"},
		"media port":      {func(c *Config) { c.Media.TCPAddress = taken }, "calls cannot be received on TCP " + taken + ": address already in use; set media.udp_address and media.tcp_address to ports that are free"},
		"store":           {func(c *Config) { c.Store.Path = "/dev/null/parley.db" }, "calls cannot be stored in /dev/null/parley.db: not a directory; set store.path, or store.engine to none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := healthy(t)
			test.change(&cfg)
			err := Serve(t.Context(), cfg, Options{Ready: func(Running) { t.Error("it says that it is ready") }})
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// A second parley on the machine needs another address for its page and no
// further care.
func TestServeBesideAnother(t *testing.T) {
	noLeak(t)
	var urls []string
	for range 2 {
		cfg := healthy(t)
		cfg.Media = media.DefaultConfig()
		s := start(t, cfg, Options{})
		call, err := loadtest.Dial(t.Context(), loadtest.Options{URL: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		defer call.Hangup()
		urls = append(urls, s.URL)
	}
	if urls[0] == urls[1] {
		t.Errorf("both are at %s", urls[0])
	}
}

// A listener that breaks ends the server with an error, calls and all.
func TestServeLosesItsListener(t *testing.T) {
	noLeak(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() {
		over <- Serve(t.Context(), healthy(t), Options{Listener: l, Ready: func(Running) { l.Close() }})
	}()
	if err := <-over; err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("it ended with: %v", err)
	}
}

// The start message tells what works less well than it could.
func TestServeNotes(t *testing.T) {
	noLeak(t)
	cfg := healthy(t)
	cfg.STT, cfg.VAD.Engine, cfg.Models = broken().STT, Auto, cfg.Data
	s := start(t, cfg, Options{})
	notes := strings.Join(s.Notes, "\n")
	if len(s.Notes) != 2 || !strings.Contains(notes, "Speech is not understood") || !strings.Contains(notes, "by its energy alone") {
		t.Errorf("got\n%s", notes)
	}
	if s.Engines["stt"] != "unassigned" || s.Engines["vad"] != "energy" || s.Engines["llm"] != "scripted" {
		t.Errorf("got %v", s.Engines)
	}
	_, config := get(t, s.URL+"/api/config", "")
	if !strings.Contains(config, `"stt":"unassigned"`) {
		t.Errorf("clients are told %s", config)
	}
}

// BenchmarkReady measures from the start to the first request answered, with
// the embedded engines.
func BenchmarkReady(b *testing.B) {
	cfg := DefaultConfig()
	cfg.Models, cfg.Data = "../models", b.TempDir()
	cfg.Listen, cfg.Media.UDPAddress, cfg.Media.TCPAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	for b.Loop() {
		s := start(b, cfg, Options{})
		b.StopTimer()
		if err := s.stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
