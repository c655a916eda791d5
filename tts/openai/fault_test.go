package openai

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/internal/fault"
	"parley/tts/ttstest"
)

func status(code int, body string) func(http.ResponseWriter, *http.Request, request) {
	return func(w http.ResponseWriter, _ *http.Request, _ request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func typed(kind, body string) func(http.ResponseWriter, *http.Request, request) {
	return func(w http.ResponseWriter, _ *http.Request, _ request) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, body)
	}
}

func TestFaults(t *testing.T) {
	const canary = "canary-secret-words"
	object := `{"error":{"message":"` + canary + `","type":"server_error","code":"rate_limit_exceeded"}}`
	for _, tt := range []struct {
		name  string
		serve func(http.ResponseWriter, *http.Request, request)
		kind  fault.Kind
	}{
		{"401", status(401, `{"error":{"message":"`+canary+`"}}`), fault.Unauthorized},
		{"404", status(404, "{}"), fault.Misconfigured},
		{"429", status(429, object), fault.RateLimited},
		{"500", status(500, canary), fault.Failed},
		{"json with 200", typed("application/json", object), fault.RateLimited},
		{"json with 200 that claims to be audio", typed("audio/pcm", object), fault.RateLimited},
		{"json with 200 without a code", typed("application/json", `{"detail":"`+canary+`"}`), fault.Failed},
		{"json that is none", typed("application/json", canary), fault.Failed},
		{"web page", typed("text/html", "<html>"+canary), fault.Misconfigured},
		{"plain text", typed("text/plain", canary), fault.Misconfigured},
		{"mp3", typed("audio/mpeg", "ID3\x04"+canary), fault.Misconfigured},
		{"mp3 that claims to be pcm", typed("audio/pcm", "ID3\x04"+canary), fault.Failed},
		{"nothing", typed("audio/pcm", ""), fault.Failed},
		{"broken wav", typed("audio/wav", "RIFF\x00\x00\x00\x00WAVEdata"), fault.Failed},
		{"closed at once", func(http.ResponseWriter, *http.Request, request) { panic(http.ErrAbortHandler) }, fault.Unreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := speak(t, newServer(t, tt.serve).engine(t, nil), "hello")
			if fault.KindOf(got.Err) != tt.kind || len(got.PCM) > 0 {
				t.Errorf("%d samples, error %v; want %s", len(got.PCM), got.Err, tt.kind)
			}
			if got.Err != nil && strings.Contains(got.Err.Error(), canary) {
				t.Errorf("the error repeats the answer: %v", got.Err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	s := newServer(t, good)
	e := s.engine(t, nil)
	s.Close()
	if got := speak(t, e, "hello"); fault.KindOf(got.Err) != fault.Unreachable {
		t.Errorf("error %v", got.Err)
	}
}

func TestStalls(t *testing.T) {
	for name, audio := range map[string]int{"before the head": -1, "before the first byte": 0, "in the middle": 12000} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, r *http.Request, q request) {
				if audio >= 0 {
					write(w, tone(q.Input, 24000)[:audio])
				}
				<-r.Context().Done()
			})
			got := speak(t, s.engine(t, impatient), "hello there", "more")
			if fault.KindOf(got.Err) != fault.Stalled || (len(got.PCM) > 0) != (audio > 0) {
				t.Errorf("%d samples, error %v", len(got.PCM), got.Err)
			}
		})
	}
}

func TestASlowListenerIsNoStall(t *testing.T) {
	e := newServer(t, good).engine(t, impatient)
	n := 0
	for _, err := range e.Speak(t.Context(), ttstest.Text("one", "two")) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			time10ms(t.Context())
			for range 10 {
				time10ms(t.Context()) // longer than either timeout
			}
		}
	}
}

func TestEndlessAudioIsCutOff(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request, _ request) {
		for body := tone("many words to say", 24000); r.Context().Err() == nil; {
			if _, err := w.Write(body); err != nil {
				return
			}
		}
	})
	got := speak(t, s.engine(t, nil), "hi")
	if fault.KindOf(got.Err) != fault.Failed || got.Duration() > 15*time.Second {
		t.Errorf("%v of audio, %v", got.Duration(), got.Err)
	}
}

func TestEndlessSilenceIsCutOff(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request, _ request) {
		for body := make([]byte, 48000); r.Context().Err() == nil; {
			if _, err := w.Write(body); err != nil {
				return
			}
		}
	})
	if got := speak(t, s.engine(t, nil), "hi"); fault.KindOf(got.Err) != fault.Failed {
		t.Errorf("%v of audio, %v", got.Duration(), got.Err)
	}
}

func TestCancelReachesTheServer(t *testing.T) {
	for name, begun := range map[string]bool{"before the head": false, "while it speaks": true} {
		t.Run(name, func(t *testing.T) {
			asked, gone := make(chan struct{}), make(chan struct{})
			s := newServer(t, func(w http.ResponseWriter, r *http.Request, q request) {
				if begun {
					write(w, tone(q.Input, 24000)[:12000])
				}
				close(asked)
				<-r.Context().Done()
				close(gone)
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { <-asked; cancel() }()
			got := ttstest.Collect(t, s.engine(t, nil), ctx, ttstest.Text("hello there"))
			if k := fault.KindOf(got.Err); got.Err != nil && k != fault.Canceled {
				t.Errorf("error %v", got.Err)
			}
			<-gone // hangs where the connection is kept
		})
	}
}
