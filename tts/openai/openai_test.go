package openai

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/fault"
	"parley/tts"
	"parley/tts/ttstest"
)

func TestConformance(t *testing.T) {
	ttstest.Run(t, ttstest.Fixture{New: func(t *testing.T) tts.Voice {
		return newServer(t, good).engine(t, nil)
	}})
}

func TestRequest(t *testing.T) {
	s := newServer(t, good)
	got := speak(t, s.engine(t, func(c *Config) { c.Instructions, c.Speed = "Whisper.", 1.5 }), "Hello there. ")
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	q := s.seen()[0]
	if q.Input != "Hello there." || q.Model != "gpt-4o-mini-tts" || q.Voice != "alloy" || q.ResponseFormat != "pcm" ||
		q.Instructions != "Whisper." || q.Speed == nil || *q.Speed != 1.5 {
		t.Errorf("request %+v", q)
	}
	if auth := s.headers[0].Get("Authorization"); auth != "Bearer the-key" {
		t.Errorf("authorization %q", auth)
	}
	// 200 ms of tone and the pause after a sentence; the rest was silence.
	if d := got.Duration(); d < 380*time.Millisecond || d > 420*time.Millisecond {
		t.Errorf("%v of audio", d)
	}
	speak(t, s.engine(t, nil), "Hello")
	if q := s.seen()[1]; q.Speed != nil {
		t.Errorf("the usual speed was sent: %v", *q.Speed)
	}
}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		name, kind string
		body       []byte
	}{
		{"pcm", "audio/pcm", tone("one two three", 24000)},
		{"no type", "application/octet-stream", tone("one two three", 24000)},
		{"wav", "audio/wav", wav("one two three", 24000)},
		{"wav that claims to be mp3", "audio/mpeg", wav("one two three", 24000)},
		{"wav at another rate", "audio/x-wav", wav("one two three", 22050)},
		{"pcm that says its rate", "audio/pcm; rate=16000", tone("one two three", 16000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 333, len(tt.body)} { // odd sizes split samples
				s := newServer(t, func(w http.ResponseWriter, _ *http.Request, _ request) {
					w.Header().Set("Content-Type", tt.kind)
					if size == 1 { // the beginning byte by byte, the rest at once
						for i := range 60 {
							write(w, tt.body[i:i+1])
						}
						write(w, tt.body[60:])
						return
					}
					for part := range slices.Chunk(tt.body, size) {
						write(w, part)
					}
				})
				got := speak(t, s.engine(t, nil), "one two three")
				if d := got.Duration(); got.Err != nil || d < 380*time.Millisecond || d > 430*time.Millisecond {
					t.Errorf("in parts of %d: %v of audio, %v", size, d, got.Err)
				}
			}
		})
	}
}

func TestPlaysFromTheFirstByte(t *testing.T) {
	heard := make(chan struct{})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request, q request) {
		body := tone(q.Input, 24000)
		write(w, body[:len(body)/2])
		select {
		case <-heard: // the rest exists only once the first half has sounded
		case <-r.Context().Done():
		}
		write(w, body[len(body)/2:])
	})
	n := 0
	for _, err := range s.engine(t, nil).Speak(t.Context(), ttstest.Text("one two three four")) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			close(heard)
		}
	}
	if n < 15 {
		t.Errorf("%d pieces", n)
	}
}

func TestNextClauseIsAskedForWhileThisOneSounds(t *testing.T) {
	second := make(chan struct{})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request, q request) {
		if q.Input == "second" {
			close(second)
		}
		body := tone(q.Input, 24000)
		write(w, body[:len(body)/2])
		if q.Input == "first" {
			select {
			case <-second: // the first answer ends only after the second request has come
			case <-r.Context().Done():
			}
		}
		write(w, body[len(body)/2:])
	})
	got := speak(t, s.engine(t, nil), "first", "second", "third")
	if got.Err != nil || !slices.Equal(got.Clauses, []string{"first", "second", "third"}) {
		t.Errorf("clauses %q, %v", got.Clauses, got.Err)
	}
}

func TestAServerThatMakesOneClauseAtATimeIsNotStalled(t *testing.T) {
	one := make(chan struct{}, 1)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request, q request) {
		one <- struct{}{}
		defer func() { <-one }()
		for part := range slices.Chunk(tone(q.Input, 24000), 4800) { // 10 times real time
			write(w, part)
			time10ms(r.Context())
		}
	})
	// The second clause waits for the first for longer than its timeout.
	got := speak(t, s.engine(t, func(c *Config) { c.FirstByteTimeout, c.IdleTimeout = 150*time.Millisecond, 5*time.Second }),
		strings.Repeat("word ", 25), "next", "last")
	if got.Err != nil || len(got.Clauses) != 3 {
		t.Errorf("clauses %q, %v", got.Clauses, got.Err)
	}
}

func time10ms(ctx context.Context) {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func TestRetriesOnlyWithoutAudio(t *testing.T) {
	var s *server
	s = newServer(t, func(w http.ResponseWriter, r *http.Request, q request) {
		if len(s.seen()) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		good(w, r, q)
	})
	got := speak(t, s.engine(t, func(c *Config) { c.Retries = 1 }), "hello")
	if got.Err != nil || len(s.seen()) != 2 {
		t.Errorf("%d requests, %v", len(s.seen()), got.Err)
	}

	s = newServer(t, func(w http.ResponseWriter, _ *http.Request, q request) {
		write(w, tone(q.Input, 24000)[:12000])
		panic(http.ErrAbortHandler)
	})
	got = speak(t, s.engine(t, func(c *Config) { c.Retries = 5 }), "hello there")
	if fault.KindOf(got.Err) != fault.Unreachable || len(s.seen()) != 1 || len(got.PCM) == 0 {
		t.Errorf("%d requests, %d samples, %v", len(s.seen()), len(got.PCM), got.Err)
	}
}

func TestConfigErrors(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"base_url":           func(c *Config) { c.BaseURL = "ftp://x" },
		"model":              func(c *Config) { c.Model = "" },
		"voice":              func(c *Config) { c.Voice = "" },
		"speed":              func(c *Config) { c.Speed = 0 },
		"format":             func(c *Config) { c.Format = "mp3" },
		"pcm_rate":           func(c *Config) { c.PCMRate = 0 },
		"first_byte_timeout": func(c *Config) { c.FirstByteTimeout = 0 },
		"idle_timeout":       func(c *Config) { c.IdleTimeout = -1 },
		"retries":            func(c *Config) { c.Retries = -1 },
		"api_key":            func(c *Config) { c.APIKey = "" },
	} {
		cfg := DefaultConfig()
		cfg.APIKey = "canary-key"
		change(&cfg)
		_, err := New(cfg, nil)
		if fault.KindOf(err) != fault.Misconfigured || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	s := newServer(t, good)
	cfg := DefaultConfig()
	cfg.BaseURL = s.URL + "/v1"
	if err := Check(cfg); err != nil {
		t.Error(err)
	}
	s.Close()
	cfg.Retries = 0
	if err := Check(cfg); fault.KindOf(err) != fault.Unreachable {
		t.Errorf("error %v", err)
	}
}

func BenchmarkFirstAudio(b *testing.B) {
	e := newServer(b, good).engine(b, nil)
	for b.Loop() {
		for _, err := range e.Speak(b.Context(), ttstest.Text("The weather in London is fine today,")) {
			if err != nil {
				b.Fatal(err)
			}
			break
		}
	}
}
