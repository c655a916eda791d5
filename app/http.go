package app

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/signaling"
	"parley/store"
	"parley/webclient"
)

// maxRequest is the most that a client may send in a body, in bytes. What takes
// one bounds it more closely; nothing else is read.
const maxRequest = 1 << 20

// access says who may use a route.
type access int

const (
	keyed  access = iota // whoever shows the key, from an allowed origin
	public               // everybody
	own                  // the handler asks for the key itself: in a message, or after a CORS preflight
)

// route is one entry of the server's HTTP face.
type route struct {
	path    string   // as http.ServeMux takes it, without a method
	methods []string // that are allowed; HEAD goes with GET; nil leaves it to the handler
	access  access
	handler http.Handler
}

// face is what routes are made of.
type face struct {
	signaling *signaling.Server
	db        store.Store
	metrics   prometheus.Gatherer
	version   string
	log       *slog.Logger
}

// routes lists the whole HTTP face of the server.
func (f face) routes() []route {
	api := &callsAPI{db: f.db, log: f.log}
	get := []string{http.MethodGet}
	lost := http.HandlerFunc(noSuchThing)
	return []route{
		{"/ws", get, own, f.signaling},
		{"/v1/realtime/", nil, own, f.signaling},
		{"/v1/", nil, keyed, lost},
		{"/api/config", get, keyed, f.signaling},
		{"/api/calls", get, keyed, http.HandlerFunc(api.list)},
		{"/api/calls/{id}", get, keyed, http.HandlerFunc(api.call)},
		{"/api/calls/{id}/turns", get, keyed, http.HandlerFunc(api.turns)},
		{"/api/", nil, keyed, lost},
		{"/metrics", get, keyed, promhttp.HandlerFor(f.metrics, promhttp.HandlerOpts{EnableOpenMetrics: true})},
		{"/healthz", get, public, http.HandlerFunc(f.health)},
		{"/", nil, public, webclient.Handler()},
	}
}

// handler serves the routes.
func (f face) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range f.routes() {
		h := r.handler
		if r.methods != nil {
			h = only(r.methods, h)
		}
		if r.access == keyed {
			h = f.signaling.Guard(h)
		}
		mux.Handle(r.path, h)
	}
	return http.MaxBytesHandler(careful(mux), maxRequest)
}

// health tells whoever watches over the server that it runs.
func (f face) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"status": "ok", "version": f.version, "calls": f.signaling.Live()})
}

// careful sets headers that fit everything but the page, which sets its own.
func careful(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// only refuses other methods than those.
func only(methods []string, next http.Handler) http.Handler {
	allowed := slices.Clone(methods)
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	list := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(allowed, r.Method) {
			w.Header().Set("Allow", list)
			complain(w, http.StatusMethodNotAllowed, "method_not_allowed", "Use "+list+" here.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// newHTTPServer bounds how long a client may dawdle (security: slow loris).
// Sockets are beyond these limits once they are open, and have their own.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func noSuchThing(w http.ResponseWriter, _ *http.Request) {
	complain(w, http.StatusNotFound, "not_found", "There is nothing at this address.")
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

func complain(w http.ResponseWriter, status int, code, message string) {
	kind := "invalid_request_error"
	if status >= 500 {
		kind = "server_error"
	}
	answer(w, status, map[string]any{"error": map[string]string{"type": kind, "code": code, "message": message}})
}
