package app

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/signaling"
	"parley/store"
	"parley/webclient"
)

// routes is the whole HTTP face of the server.
func routes(s *signaling.Server, db store.Store, metrics prometheus.Gatherer, version string, log *slog.Logger) http.Handler {
	api := &callsAPI{db: db, log: log}
	mux := http.NewServeMux()
	mux.Handle("/ws", s)
	mux.Handle("/api/config", s)
	mux.Handle("/v1/", s)
	mux.Handle("GET /api/calls", s.Guard(http.HandlerFunc(api.list)))
	mux.Handle("GET /api/calls/{id}", s.Guard(http.HandlerFunc(api.call)))
	mux.Handle("GET /api/calls/{id}/turns", s.Guard(http.HandlerFunc(api.turns)))
	mux.Handle("GET /metrics", s.Guard(promhttp.HandlerFor(metrics, promhttp.HandlerOpts{EnableOpenMetrics: true})))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"status": "ok", "version": version, "calls": s.Live()})
	})
	mux.Handle("/api/", http.HandlerFunc(noSuchThing))
	mux.Handle("/", webclient.Handler())
	return mux
}

// newHTTPServer bounds how long a client may dawdle (security: slow loris).
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// callsAPI shows what the store holds.
type callsAPI struct {
	db  store.Store
	log *slog.Logger
}

func (a *callsAPI) list(w http.ResponseWriter, r *http.Request) {
	limit, before := 50, time.Time{}
	if s := r.FormValue("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 500 {
			complain(w, http.StatusBadRequest, "invalid_limit", "limit must be a number between 1 and 500.")
			return
		}
		limit = n
	}
	if s := r.FormValue("before"); s != "" {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			complain(w, http.StatusBadRequest, "invalid_before", "before must be a time such as 2026-01-02T15:04:05Z.")
			return
		}
		before = t
	}
	calls, err := a.db.Calls(r.Context(), before, limit)
	if err != nil {
		a.fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"calls": calls})
}

func (a *callsAPI) call(w http.ResponseWriter, r *http.Request) {
	c, err := a.db.Call(r.Context(), r.PathValue("id"))
	if err != nil {
		a.fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"call": c})
}

func (a *callsAPI) turns(w http.ResponseWriter, r *http.Request) {
	c, err := a.db.Call(r.Context(), r.PathValue("id"))
	if err != nil {
		a.fail(w, err)
		return
	}
	turns, err := a.db.Turns(r.Context(), c.ID)
	if err != nil {
		a.fail(w, err)
		return
	}
	if turns == nil {
		turns = []store.Turn{}
	}
	answer(w, http.StatusOK, map[string]any{"call": c, "turns": turns})
}

func (a *callsAPI) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, store.ErrNotFound) {
		complain(w, http.StatusNotFound, "not_found", "There is no such call; GET /api/calls lists those that are stored.")
		return
	}
	a.log.Error("store cannot be read", "err", err)
	complain(w, http.StatusServiceUnavailable, "store_unavailable", "The store cannot be read right now; try again shortly.")
}

func noSuchThing(w http.ResponseWriter, _ *http.Request) {
	complain(w, http.StatusNotFound, "not_found", "There is nothing at this address.")
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
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
