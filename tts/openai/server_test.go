package openai

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/tts/ttstest"
)

// request is what a client may send.
type request struct {
	Model, Input, Voice, Instructions string
	ResponseFormat                    string   `json:"response_format"`
	Speed                             *float64 `json:"speed"`
}

// server is a speech server whose every answer is made by serve.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	headers  []http.Header
}

func newServer(t testing.TB, serve func(w http.ResponseWriter, r *http.Request, q request)) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/v1/audio/speech" || r.Method != http.MethodPost {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		s.mu.Lock()
		s.requests, s.headers = append(s.requests, q), append(s.headers, r.Header.Clone())
		s.mu.Unlock()
		serve(w, r, q)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) seen() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.requests...)
}

// engine is one for the server, with timeouts that suit a test.
func (s *server) engine(t testing.TB, change func(*Config)) *Engine {
	t.Helper()
	cfg := DefaultConfig()
	cfg.BaseURL, cfg.APIKey, cfg.Retries = s.URL+"/v1", "the-key", 0
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// impatient makes the timeouts short.
func impatient(c *Config) {
	c.FirstByteTimeout, c.IdleTimeout = 50*time.Millisecond, 50*time.Millisecond
}

// tone is 100 ms of sound per word of text at rate Hz, with silence around it.
func tone(text string, rate int) []byte {
	words := len(strings.Fields(text))
	b := make([]byte, 2*rate/10)
	for i := range words * rate / 10 {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Cos(2*math.Pi*300*float64(i)/float64(rate)))))
	}
	return append(b, make([]byte, 2*rate/2)...)
}

// wav is tone behind a header as servers stream it.
func wav(text string, rate int) []byte {
	b := []byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*rate))
	b = append(b, "\x02\x00\x10\x00data\xff\xff\xff\xff"...)
	return append(b, tone(text, rate)...)
}

func good(w http.ResponseWriter, _ *http.Request, q request) {
	w.Header().Set("Content-Type", "audio/pcm")
	_, _ = w.Write(tone(q.Input, 24000))
}

// write sends b at once.
func write(w http.ResponseWriter, b []byte) {
	_, _ = w.Write(b)
	_ = http.NewResponseController(w).Flush()
}

func speak(t *testing.T, e *Engine, clauses ...string) ttstest.Spoken {
	t.Helper()
	return ttstest.Collect(t, e, t.Context(), ttstest.Text(clauses...))
}
