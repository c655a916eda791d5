package endpoint

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/fault"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

func TestProbe(t *testing.T) {
	var keys []string
	handler := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			keys = append(keys, r.Header.Get("Authorization"))
			answer(status, "application/json", body)(w, r)
		}
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		want    fault.Kind
	}{
		"good":    {handler(200, `{"data":[{"id":"a"}]}`), ""},
		"no key":  {handler(401, "{}"), fault.Unauthorized},
		"no list": {handler(404, ""), fault.Misconfigured},
		"garbage": {handler(200, "hello"), fault.Failed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := Probe(t.Context(), serve(t, test.handler)); fault.KindOf(err) != test.want {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, k := range keys {
		if k != "Bearer "+plain {
			t.Errorf("sent key %q", k)
		}
	}
	if err := Probe(t.Context(), Config{BaseURL: "ftp://h"}); fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("bad URL: got %v", err)
	}
}

// Requests one after the other use one connection, and a request on a kept
// connection that the server has closed in the meantime is not lost.
func TestConnectionsAreKept(t *testing.T) {
	var mu sync.Mutex
	opened := map[net.Conn]bool{}
	s := httptest.NewUnstartedServer(answer(200, "application/json", `{"data":[]}`))
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateNew {
			opened[c] = true
		}
	}
	s.Start()
	defer s.Close()
	c := NewClient(Config{BaseURL: s.URL}, Options{})
	defer c.Close()
	for range 5 {
		if _, err := c.Models(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	if len(opened) != 1 {
		t.Errorf("opened %d connections", len(opened))
	}
	mu.Unlock()
	s.CloseClientConnections()
	if _, err := c.Models(t.Context()); err != nil {
		t.Errorf("after the server hung up: %v", err)
	}
}

// piecewise gives one byte after each gap, and then nothing until ctx is done.
type piecewise struct {
	ctx  context.Context
	gaps []time.Duration
}

func (p *piecewise) Read(b []byte) (int, error) {
	if len(p.gaps) == 0 {
		<-p.ctx.Done()
		return 0, p.ctx.Err()
	}
	timer := time.NewTimer(p.gaps[0])
	defer timer.Stop()
	select {
	case <-timer.C:
		p.gaps = p.gaps[1:]
		b[0] = 'x'
		return 1, nil
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	}
}

func TestWatchdog(t *testing.T) {
	const first, next = 5 * time.Second, 1500 * time.Millisecond
	tests := map[string]struct {
		gaps  []time.Duration
		bytes int
		after time.Duration
	}{
		"nothing":         {nil, 0, 5 * time.Second},
		"slow first":      {[]time.Duration{4900 * time.Millisecond}, 1, 6400 * time.Millisecond},
		"late first":      {[]time.Duration{6 * time.Second}, 0, 5 * time.Second},
		"stalls after 3":  {[]time.Duration{0, time.Second, time.Second}, 3, 3500 * time.Millisecond},
		"second too late": {[]time.Duration{0, 2 * time.Second}, 1, 1500 * time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				ctx, dog := NewWatchdog(t.Context())
				defer dog.Stop()
				data, err := io.ReadAll(dog.Reader(&piecewise{ctx: ctx, gaps: test.gaps}, first, next))
				if len(data) != test.bytes || time.Since(start) != test.after {
					t.Errorf("got %d bytes after %v", len(data), time.Since(start))
				}
				check(t, Classify("x: y", err), fault.Stalled, "nothing came in time")
			})
		})
	}
}

// A consumer that takes its time between reads does not trip the watchdog, and
// the caller's own cancellation is not mistaken for silence.
func TestWatchdogPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		ctx, dog := NewWatchdog(parent)
		defer dog.Stop()
		r := dog.Reader(&piecewise{ctx: ctx, gaps: make([]time.Duration, 3)}, time.Second, time.Second)
		for range 3 {
			if _, err := r.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		time.AfterFunc(time.Millisecond, cancel)
		_, err := r.Read(make([]byte, 1))
		check(t, Classify("x: y", err), fault.Canceled, "")
		time.Sleep(time.Minute)
		if !errors.Is(dog.Err(context.Canceled), context.Canceled) {
			t.Error("bit after the caller had gone")
		}
	})
}
