package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/signaling"
	"parley/store"
	"parley/store/sqlite"
)

const testKey = "correct-horse"

// noBackend takes no calls.
type noBackend struct{}

func (noBackend) NewTalk(context.Context, signaling.TalkOptions) (signaling.Talk, error) {
	return nil, errors.New("no calls here")
}

func (noBackend) NewPeer(context.Context, signaling.Talk, signaling.PeerEvents) (signaling.Peer, error) {
	return nil, errors.New("no calls here")
}

// newFace is the server's HTTP face without calls behind it.
func newFace(t *testing.T, key string, db store.Store) face {
	t.Helper()
	c := signaling.DefaultConfig()
	c.Key = key
	s, err := signaling.New(signaling.Options{Config: c, Backend: noBackend{}, Session: DefaultConfig().Session})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return face{s, db, prometheus.NewRegistry(), "test", slog.New(slog.DiscardHandler)}
}

// ask makes a request without a network. header holds names and values in turn.
func ask(h http.Handler, method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// wantProblem checks an error body: JSON in the form of the OpenAI API.
func wantProblem(t *testing.T, res *http.Response, status int, code string) {
	t.Helper()
	defer res.Body.Close()
	var body struct {
		Error struct{ Type, Code, Message string }
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	err = json.Unmarshal(raw, &body)
	e := body.Error
	if err != nil || res.StatusCode != status || e.Code != code || e.Type == "" || !strings.HasSuffix(e.Message, ".") {
		t.Errorf("got %d %q %s (%v), want %d %s", res.StatusCode, res.Header.Get("Content-Type"), raw, err, status, code)
	}
	if got := res.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("the problem is of type %q", got)
	}
}

// address is a path that a route serves.
func address(r route) string {
	if r.path == "/v1/realtime/" {
		return "/v1/realtime/calls"
	}
	return strings.ReplaceAll(r.path, "{id}", "call_1")
}

// Every route, with a key set: it must ask for it unless it is listed as public.
func TestRoutesAskForTheKey(t *testing.T) {
	f := newFace(t, testKey, store.None{})
	h := f.handler()
	open := []string{"/", "/healthz"}
	inTheMessage := []string{"/ws"} // TestSocketAsksForTheKey
	for _, r := range f.routes() {
		t.Run(r.path, func(t *testing.T) {
			method := http.MethodGet
			if r.path == "/v1/realtime/" {
				method = http.MethodPost
			}
			right := ask(h, method, address(r), "Authorization", "Bearer "+testKey)
			if right.StatusCode == http.StatusUnauthorized {
				t.Error("the right key is refused")
			}
			none, wrong := ask(h, method, address(r)), ask(h, method, address(r), "Authorization", "Bearer "+testKey+"r")
			switch {
			case slices.Contains(open, r.path):
				if none.StatusCode != http.StatusOK || wrong.StatusCode != http.StatusOK {
					t.Errorf("got %d and %d", none.StatusCode, wrong.StatusCode)
				}
			case slices.Contains(inTheMessage, r.path):
				wantProblem(t, wrong, http.StatusUnauthorized, "invalid_api_key")
			default:
				wantProblem(t, none, http.StatusUnauthorized, "invalid_api_key")
				wantProblem(t, wrong, http.StatusUnauthorized, "invalid_api_key")
				if none.Header.Get("WWW-Authenticate") == "" {
					t.Error("the answer does not say how to show a key")
				}
			}
		})
	}
}

func TestRoutesRefuseForeignPages(t *testing.T) {
	for _, key := range []string{"", testKey} {
		f := newFace(t, key, store.None{})
		h := f.handler()
		for _, r := range f.routes() {
			if r.access == public {
				continue
			}
			method := http.MethodGet
			if r.path == "/v1/realtime/" {
				method = http.MethodPost
			}
			for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1:8080.evil.example", "http://127.0.0.1:8081"} {
				res := ask(h, method, address(r), "Origin", origin, "Authorization", "Bearer "+testKey)
				t.Run(strings.Join([]string{r.path, origin, key}, " "), func(t *testing.T) {
					wantProblem(t, res, http.StatusForbidden, "forbidden_origin")
				})
			}
			if res := ask(h, method, address(r), "Origin", "http://127.0.0.1:8080", "Authorization", "Bearer "+testKey); res.StatusCode == http.StatusForbidden {
				t.Errorf("%s: the server's own page is refused", r.path)
			}
		}
	}
}

func TestRoutesSetHeaders(t *testing.T) {
	f := newFace(t, testKey, store.None{})
	h := f.handler()
	for _, r := range f.routes() {
		for _, header := range [][]string{{}, {"Authorization", "Bearer " + testKey}} {
			res := ask(h, http.MethodGet, address(r), header...)
			if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: %v", r.path, res.Header)
			}
			csp := res.Header.Values("Content-Security-Policy")
			if len(csp) != 1 || !strings.HasPrefix(csp[0], "default-src 'none'; ") || !strings.Contains(csp[0], "frame-ancestors 'none'") || strings.Contains(csp[0], "unsafe") {
				t.Errorf("%s: %q", r.path, csp)
			}
			if strings.HasPrefix(r.path, "/api/") && res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s may be kept: %q", r.path, res.Header.Get("Cache-Control"))
			}
		}
	}
}

func TestRoutesRefuseOtherMethods(t *testing.T) {
	f := newFace(t, "", store.None{})
	h := f.handler()
	for _, r := range f.routes() {
		if r.methods == nil {
			continue
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "BREW"} {
			res := ask(h, method, address(r))
			wantProblem(t, res, http.StatusMethodNotAllowed, "method_not_allowed")
			if res.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s allows %q", method, r.path, res.Header.Get("Allow"))
			}
		}
		if res := ask(h, http.MethodHead, address(r)); res.StatusCode == http.StatusMethodNotAllowed {
			t.Errorf("HEAD %s is refused", r.path)
		}
	}
	for target, methods := range map[string][]string{
		"/v1/realtime/calls":               {http.MethodGet, http.MethodPut, http.MethodDelete},
		"/v1/realtime/calls/call_1":        {http.MethodGet, http.MethodPost},
		"/v1/realtime/calls/call_1/hangup": {http.MethodGet, http.MethodDelete},
	} {
		for _, method := range methods {
			wantProblem(t, ask(h, method, target), http.StatusMethodNotAllowed, "method_not_allowed")
		}
	}
	if res := ask(h, http.MethodPost, "/"); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") == "" {
		t.Errorf("POST / gives %d, allows %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestUnknownAddresses(t *testing.T) {
	h := newFace(t, "", store.None{}).handler()
	for _, target := range []string{
		"/api/", "/api/nothing", "/api/calls/", "/api/calls/call_1/turns/1", "/api/config/x",
		"/v1/", "/v1/realtime", "/v1/realtime/nothing", "/v1/chat/completions",
	} {
		res := ask(h, http.MethodGet, target)
		if res.StatusCode == http.StatusTemporaryRedirect || res.StatusCode == http.StatusMovedPermanently {
			res = ask(h, http.MethodGet, res.Header.Get("Location"))
		}
		t.Run(target, func(t *testing.T) { wantProblem(t, res, http.StatusNotFound, "not_found") })
	}
	for _, target := range []string{"/nothing", "/healthz/x", "/ws/x", "/metrics/x"} {
		if res := ask(h, http.MethodGet, target); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s gives %d", target, res.StatusCode)
		}
	}
	// A page that came by a name that is not the server's own could read what it likes.
	r := httptest.NewRequest(http.MethodGet, "http://rebound.example/api/calls", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	wantProblem(t, w.Result(), http.StatusForbidden, "unknown_host")
}

func TestHealth(t *testing.T) {
	res := ask(newFace(t, testKey, store.None{}).handler(), http.MethodGet, "/healthz")
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != `{"calls":0,"status":"ok","version":"test"}` {
		t.Errorf("got %d %s (%v)", res.StatusCode, body, err)
	}
}

func TestCallsAPI(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	start := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for i, id := range []string{"call_1", "call_2", "call_3"} {
		if err := db.SaveCall(t.Context(), store.Call{ID: id, StartedAt: start.Add(time.Duration(i) * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.SaveTurn(t.Context(), store.Turn{CallID: "call_1", Number: 1, StartedAt: start, User: "hello"}); err != nil {
		t.Fatal(err)
	}
	h := newFace(t, "", db).handler()
	for target, want := range map[string][]string{
		"/api/calls":                                      {"call_3", "call_2", "call_1"},
		"/api/calls?limit=2":                              {"call_3", "call_2"},
		"/api/calls?limit=&before=":                       {"call_3", "call_2", "call_1"},
		"/api/calls?limit=500":                            {"call_3", "call_2", "call_1"},
		"/api/calls?nothing=known":                        {"call_3", "call_2", "call_1"},
		"/api/calls?before=2026-01-02T15:05:05Z":          {"call_1"},
		"/api/calls?before=2026-01-02T16:05:05.5%2B01:00": {"call_2", "call_1"},
		"/api/calls?limit=1&before=2026-01-02T15:06:05Z":  {"call_2"},
		"/api/calls?limit=1&before=2026-01-02T15:04:05Z":  {},
	} {
		res := ask(h, http.MethodGet, target)
		var got struct{ Calls []store.Call }
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", target, res.StatusCode, err)
		}
		ids := []string{}
		for _, c := range got.Calls {
			ids = append(ids, c.ID)
		}
		if got.Calls == nil || !slices.Equal(ids, want) {
			t.Errorf("%s: got %q, want %q", target, ids, want)
		}
	}
	for target, code := range map[string]string{
		"/api/calls?limit=0": "invalid_limit", "/api/calls?limit=501": "invalid_limit", "/api/calls?limit=-1": "invalid_limit",
		"/api/calls?limit=many": "invalid_limit", "/api/calls?limit=9999999999999999999999": "invalid_limit", "/api/calls?limit=1.5": "invalid_limit",
		"/api/calls?before=yesterday": "invalid_before", "/api/calls?before=2026-13-01T00:00:00Z": "invalid_before",
		"/api/calls?limit=%zz": "invalid_query", "/api/calls?a;b": "invalid_query",
	} {
		t.Run(target, func(t *testing.T) {
			wantProblem(t, ask(h, http.MethodGet, target), http.StatusBadRequest, code)
		})
	}
	turns := ask(h, http.MethodGet, "/api/calls/call_1/turns")
	var got struct {
		Call  store.Call
		Turns []store.Turn
	}
	if err := json.NewDecoder(turns.Body).Decode(&got); err != nil || got.Call.ID != "call_1" || len(got.Turns) != 1 || got.Turns[0].User != "hello" {
		t.Errorf("got %+v, %v", got, err)
	}
	if body, err := io.ReadAll(ask(h, http.MethodGet, "/api/calls/call_2/turns").Body); err != nil || !strings.Contains(string(body), `"turns":[]`) {
		t.Errorf("no turns are %s (%v)", body, err)
	}
	for _, target := range []string{"/api/calls/nobody", "/api/calls/nobody/turns", "/api/calls/%2e%2e%2f", "/api/calls/'%20OR%201=1%20--/turns"} {
		wantProblem(t, ask(h, http.MethodGet, target), http.StatusNotFound, "not_found")
	}
}

// A store that fails is a problem of the server, and its reason stays there.
func TestCallsAPIWithoutStore(t *testing.T) {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	h := newFace(t, "", db).handler()
	for _, target := range []string{"/api/calls", "/api/calls/call_1", "/api/calls/call_1/turns"} {
		wantProblem(t, ask(h, http.MethodGet, target), http.StatusServiceUnavailable, "store_unavailable")
	}
}
