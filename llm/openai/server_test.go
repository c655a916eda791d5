package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	api "github.com/sashabaranov/go-openai"

	"parley/internal/endpoint"
	"parley/llm"
)

// server is a model server in memory, so that it lives in a synctest bubble.
type server struct {
	t        *testing.T
	conns    chan net.Conn
	closed   chan struct{}
	http     http.Server
	mu       sync.Mutex
	requests []api.ChatCompletionRequest
	opened   int
	// gone is closed when the client of a request that waited for it has hung up.
	gone chan struct{}
}

// handle answers the n-th chat request, counted from 0.
type handle func(n int, w *stream)

func newServer(t *testing.T, h handle) *server {
	s := &server{t: t, conns: make(chan net.Conn), closed: make(chan struct{}), gone: make(chan struct{}, 16)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"nomic-embed-text"},{"id":"llama3.2"},{"id":"qwen3"}]}`)
	})
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		var req api.ChatCompletionRequest
		if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
			t.Errorf("bad request: %v", err)
		}
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, req)
		s.mu.Unlock()
		h(n, &stream{ResponseWriter: w, ctx: r.Context(), server: s})
	})
	s.http.Handler = mux
	done := make(chan struct{})
	go func() { defer close(done); _ = s.http.Serve(s) }()
	t.Cleanup(func() {
		_ = s.http.Close()
		<-done
	})
	return s
}

// Accept, Close, Addr make the server its own listener.
func (s *server) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *server) Close() error   { close(s.closed); return nil }
func (s *server) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case s.conns <- theirs:
		s.mu.Lock()
		s.opened++
		s.mu.Unlock()
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *server) request(n int) api.ChatCompletionRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n >= len(s.requests) {
		s.t.Fatalf("only %d requests came", len(s.requests))
	}
	return s.requests[n]
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// engine makes an engine for s; change may be nil.
func (s *server) engine(change func(*Config)) *Engine {
	s.t.Helper()
	cfg := DefaultConfig()
	cfg.BaseURL, cfg.Model, cfg.APIKey = "http://model.test/v1", "m", "sk-secret"
	if change != nil {
		change(&cfg)
	}
	e, err := newEngine(cfg, slog.New(slog.DiscardHandler), endpoint.Options{MaxBytes: answerBytes, DialContext: s.dial})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = e.Close() })
	return e
}

// stream writes an answer.
type stream struct {
	http.ResponseWriter
	ctx    context.Context
	server *server
}

func (w *stream) line(s string) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/event-stream")
	}
	_, _ = io.WriteString(w, s+"\n\n")
	w.ResponseWriter.(http.Flusher).Flush()
}

func (w *stream) delta(json string) {
	w.line(`data: {"choices":[{"index":0,"delta":` + json + `}]}`)
}

func (w *stream) tokens(tokens ...string) {
	for _, token := range tokens {
		text, _ := json.Marshal(token)
		w.delta(`{"content":` + string(text) + `}`)
	}
}

func (w *stream) finish(reason string) {
	w.line(`data: {"choices":[{"index":0,"delta":{},"finish_reason":"` + reason + `"}]}`)
	w.line("data: [DONE]")
}

// say is a good answer.
func (w *stream) say(tokens ...string) {
	w.delta(`{"role":"assistant","content":""}`)
	w.tokens(tokens...)
	w.finish("stop")
}

func (w *stream) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.ctx.Done():
	}
}

// hang waits until the client hangs up.
func (w *stream) hang() {
	<-w.ctx.Done()
	w.server.gone <- struct{}{}
}

func (w *stream) fail(status int, body string, headers ...string) {
	for i := 0; i+1 < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// reset breaks the connection.
func (w *stream) reset() {
	conn, _, err := w.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		w.server.t.Error(err)
		return
	}
	_ = conn.Close()
}

// answer is what came of a reply.
type answer struct {
	texts   []string
	actions []llm.Action
	err     error
	first   time.Duration // to the first text
	total   time.Duration
}

func (a answer) text() string { return strings.Join(a.texts, "") }

func (a answer) String() string {
	return fmt.Sprintf("%q %v after %v: %v", a.texts, a.actions, a.total, a.err)
}

func ask(ctx context.Context, m llm.Model, p llm.Prompt) answer {
	var a answer
	start := time.Now()
	for d, err := range m.Reply(ctx, p) {
		a.err = err
		if d.Text != "" {
			if len(a.texts) == 0 {
				a.first = time.Since(start)
			}
			a.texts = append(a.texts, d.Text)
		}
		if d.Action != nil {
			a.actions = append(a.actions, *d.Action)
		}
	}
	a.total = time.Since(start)
	return a
}

func question(text string) llm.Prompt {
	return llm.Prompt{Instructions: "Be brief.", Messages: []llm.Message{{Role: llm.User, Text: text}}}
}
