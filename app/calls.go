package app

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"parley/store"
)

// Calls in one answer.
const (
	usualCalls = 50
	mostCalls  = 500
)

// callsAPI shows what the store holds.
type callsAPI struct {
	db  store.Store
	log *slog.Logger
}

func (a *callsAPI) list(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		complain(w, http.StatusBadRequest, "invalid_query", "The part of the address after the question mark cannot be read.")
		return
	}
	limit, before := usualCalls, time.Time{}
	if s := query.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > mostCalls {
			complain(w, http.StatusBadRequest, "invalid_limit", "limit must be a number between 1 and 500.")
			return
		}
	}
	if s := query.Get("before"); s != "" {
		if before, err = time.Parse(time.RFC3339Nano, s); err != nil {
			complain(w, http.StatusBadRequest, "invalid_before", "before must be a time such as 2026-01-02T15:04:05Z.")
			return
		}
	}
	calls, err := a.db.Calls(r.Context(), before, limit)
	if err != nil {
		a.fail(w, err)
		return
	}
	if calls == nil {
		calls = []store.Call{}
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
