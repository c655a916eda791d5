package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"parley/conversation"
	"parley/internal/fault"
	"parley/signaling/realtime"
)

// Options of a Server. Config and Backend are needed.
type Options struct {
	Config  Config
	Backend Backend
	Log     *slog.Logger // nil: none
	Version string

	// Shown by GET /api/config.
	Engines map[string]string    // "stt", "llm", "tts" -> engine
	Session conversation.Session // what a call begins with
	Names   realtime.Names
}

// Stats counts since the start. Calls and Sockets are those of now.
type Stats struct {
	Calls, Sockets    int
	Begun, Resumed    int64
	Refused           int64 // for lack of capacity, key, origin or moderation
	DroppedEvents     int64 // conversation events lost to a full queue
	UndeliveredEvents int64 // wire events for which no transport was open, or that failed
}

// Server handles /ws, /v1/realtime/calls and /api/config. Make it with New.
type Server struct {
	config  Config
	options Options
	log     *slog.Logger
	proxies []netip.Prefix
	mux     *http.ServeMux
	upgrade websocket.Upgrader
	clients addressBook

	begun, resumed, refused, dropped, undelivered atomic.Int64

	mu      sync.Mutex
	closing bool
	places  int // calls that exist or are being made
	calls   map[string]*call
	sockets map[*socket]struct{}
	work    sync.WaitGroup // handlers and calls; grows only while not closing
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Backend == nil {
		return nil, errors.New("signaling: new server: no backend")
	}
	proxies, err := parseProxies(o.Config.TrustedProxies)
	if err != nil {
		return nil, err
	}
	o.Config.AllowedOrigins = lowerAll(o.Config.AllowedOrigins)
	s := &Server{
		config: o.Config, options: o, log: o.Log, proxies: proxies,
		clients: addressBook{sockets: o.Config.SocketsPerIP, joins: o.Config.JoinsPerMinute, book: map[netip.Addr]*address{}},
		calls:   map[string]*call{}, sockets: map[*socket]struct{}{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	// The origin was checked before; see serveSocket.
	s.upgrade = websocket.Upgrader{HandshakeTimeout: o.Config.JoinTimeout, CheckOrigin: func(*http.Request) bool { return true }}
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("GET /ws", s.serveSocket)
	s.mux.Handle("GET /api/config", s.Guard(http.HandlerFunc(s.serveConfig)))
	s.mux.HandleFunc("/v1/realtime/", s.serveRealtime)
	return s, nil
}

func lowerAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Live is the number of calls, those waiting to be resumed included.
func (s *Server) Live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// Stats returns the counters as they stand.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	calls, sockets := len(s.calls), len(s.sockets)
	s.mu.Unlock()
	return Stats{
		Calls: calls, Sockets: sockets, Begun: s.begun.Load(), Resumed: s.resumed.Load(),
		Refused: s.refused.Load(), DroppedEvents: s.dropped.Load(), UndeliveredEvents: s.undelivered.Load(),
	}
}

// Shutdown refuses new calls, says bye to those that are, and waits for all
// goroutines of the Server. When ctx ends first, connections are cut and its
// error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	for _, c := range s.calls {
		c.stop("shutdown")
	}
	for sock := range s.sockets {
		if !sock.joined.Load() {
			sock.sayShutdown()
		}
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { defer close(done); s.work.Wait() }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for sock := range s.sockets {
		sock.fail()
	}
	s.mu.Unlock()
	return fmt.Errorf("signaling: shut down: %w", ctx.Err())
}

// enter begins work that Shutdown waits for; s.work.Done must follow where it
// returns true.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.work.Add(1)
	return true
}

func shuttingDown() *problem {
	return &problem{status: http.StatusServiceUnavailable, code: "shutting_down", message: "The server is shutting down; try again shortly.", retry: 5}
}

// open makes a call. It has no socket and no peer yet.
func (s *Server) open(client string, session conversation.SessionPatch) (*call, *problem) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil, shuttingDown()
	}
	if s.config.MaxCalls > 0 && s.places >= s.config.MaxCalls {
		s.mu.Unlock()
		return nil, busy()
	}
	s.places++
	s.work.Add(1)
	s.mu.Unlock()

	c := newCall(s)
	talk, err := s.options.Backend.NewTalk(c.ctx, TalkOptions{Call: c.id, Client: client, Session: session, Sink: c.sink})
	if err != nil {
		c.cancel()
		s.leave(c)
		s.work.Done()
		s.log.Error("call refused", "call", c.id, "err", err)
		return nil, problemOf(err)
	}
	c.talk = talk
	s.mu.Lock()
	s.calls[c.id] = c
	if s.closing {
		c.stop("shutdown")
	}
	s.mu.Unlock()
	s.begun.Add(1)
	go c.run()
	return c, nil
}

// leave gives back the place of a call that is over; s.work.Done must follow.
func (s *Server) leave(c *call) {
	s.mu.Lock()
	delete(s.calls, c.id)
	s.places--
	s.mu.Unlock()
}

func (s *Server) find(id string) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}

func busy() *problem {
	return &problem{status: http.StatusServiceUnavailable, code: "busy", message: "All lines are busy; try again in a few seconds.", retry: 5}
}

// problemOf says to a client what went wrong in the backend; the log has the rest.
func problemOf(err error) *problem {
	switch fault.KindOf(err) {
	case fault.Overloaded, fault.RateLimited:
		return busy()
	case fault.BadInput:
		return &problem{status: http.StatusBadRequest, code: "invalid_request", message: "The request cannot be used: " + cause(err) + "."}
	}
	return &problem{status: http.StatusInternalServerError, code: "internal", message: "The call could not be set up; the server's log says why."}
}

// cause is the innermost text of err: the reason without the places it passed.
func cause(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}

func (s *Server) serveConfig(w http.ResponseWriter, _ *http.Request) {
	o := s.options
	writeJSON(w, http.StatusOK, struct {
		Version     string            `json:"version"`
		KeyRequired bool              `json:"key_required"`
		Engines     map[string]string `json:"engines"`
		ICEServers  []ICEServer       `json:"ice_servers"`
		Session     json.RawMessage   `json:"session"`
		Window      int64             `json:"resume_window_ms"`
	}{
		o.Version, s.config.Key != "", o.Engines, s.iceServers(),
		realtime.EncodeSession("", o.Session, o.Names), s.config.ResumeWindow.Milliseconds(),
	})
}

// iceServers is never nil: the list is part of the protocol.
func (s *Server) iceServers() []ICEServer {
	if s.config.ICEServers == nil {
		return []ICEServer{}
	}
	return s.config.ICEServers
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone; nobody to tell
}

// writeProblem writes an error body in the form of the OpenAI API.
func writeProblem(w http.ResponseWriter, p *problem) {
	kind := "invalid_request_error"
	switch {
	case p.status == http.StatusUnauthorized:
		kind = "authentication_error"
		w.Header().Set("WWW-Authenticate", "Bearer")
	case p.status == http.StatusForbidden:
		kind = "permission_error"
	case p.status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case p.status >= http.StatusInternalServerError:
		kind = "server_error"
	}
	if p.retry > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(p.retry))
	}
	type body struct {
		Type    string `json:"type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	writeJSON(w, p.status, map[string]body{"error": {kind, p.code, p.message}})
}

// now is when something came in; calls to it mark where time enters.
func now() time.Time { return time.Now() }
