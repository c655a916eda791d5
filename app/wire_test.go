package app

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"parley/store"
)

// onWire serves a face over a socket, with the limits of the real server.
func onWire(t *testing.T, f face) (host string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newHTTPServer(f.handler(), f.log)
	over := make(chan error, 1)
	go func() { over <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-over
	})
	return l.Addr().String()
}

func TestLimitsOnTheWire(t *testing.T) {
	host := onWire(t, newFace(t, "", store.None{}))
	tests := map[string]struct {
		method, target, header string
		body                   int
		want                   string // status line
	}{
		"a request":              {"GET", "/healthz", "", 0, "200 OK"},
		"too much of a header":   {"GET", "/healthz", "X-Much: " + strings.Repeat("x", 16<<10), 0, "431 "},
		"a key of dots":          {"GET", "/api/calls", "Authorization: Bearer " + strings.Repeat(".", 1<<20), 0, "431 "},
		"a long address":         {"GET", "/" + strings.Repeat("x", 16<<10), "", 0, "431 "},
		"a large offer":          {"POST", "/v1/realtime/calls", "Content-Type: application/sdp", 100 << 10, "413 "},
		"a body nobody asks for": {"POST", "/api/calls", "", 100 << 10, "405 "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := rawStatus(t, host, test.method, test.target, test.header, test.body); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// rawStatus sends a request with a body of that many bytes, which the server
// need not read, and returns the status.
func rawStatus(t *testing.T, host, method, target, header string, body int) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+host+target, io.LimitReader(zeros{}, int64(body)))
	if err != nil {
		t.Fatal(err)
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	r.ContentLength = int64(body)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.Status
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestSocketAsksForTheKey(t *testing.T) {
	host := onWire(t, newFace(t, testKey, store.None{}))
	for _, join := range []string{`{"v":1,"type":"join"}`, `{"v":1,"type":"join","key":"guess"}`} {
		ws, res, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+host+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if err := ws.WriteMessage(websocket.TextMessage, []byte(join)); err != nil {
			t.Fatal(err)
		}
		_, said, err := ws.ReadMessage()
		if err != nil || !strings.Contains(string(said), "invalid_api_key") {
			t.Errorf("%s: got %s, %v", join, said, err)
		}
		ws.Close()
	}
}
