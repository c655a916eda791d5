package openai

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/audio"
	"parley/internal/fault"
	"parley/stt"
	"parley/stt/sttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server on the loopback and returns its base URL.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

func open(t testing.TB, url string, change func(*Config)) *Engine {
	t.Helper()
	cfg := DefaultConfig()
	cfg.BaseURL, cfg.APIKey = url, "sk-very-secret"
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// upload is a request as the server saw it.
type upload struct {
	fields  map[string]string
	pcm     []int16
	rate    int
	headers http.Header
}

func receive(r *http.Request) (upload, error) {
	u := upload{fields: map[string]string{}, headers: r.Header}
	if r.URL.Path != "/v1/audio/transcriptions" || r.Method != http.MethodPost {
		return u, fmt.Errorf("%s %s", r.Method, r.URL.Path)
	}
	if err := r.ParseMultipartForm(8 << 20); err != nil {
		return u, err
	}
	for name, v := range r.MultipartForm.Value {
		u.fields[name] = v[0]
	}
	f, _, err := r.FormFile("file")
	if err != nil {
		return u, err
	}
	defer f.Close()
	u.pcm, u.rate, err = audio.ReadWAV(f)
	return u, err
}

func understand(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := receive(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"text":%q}`, text)
	}
}

func final(t testing.TB, e *Engine, speech iter.Seq[audio.Frame]) (stt.Transcript, error) {
	t.Helper()
	var last stt.Transcript
	for tr, err := range e.Transcribe(t.Context(), speech) {
		if err != nil {
			return tr, err
		}
		last = tr
	}
	return last, nil
}

func second() iter.Seq[audio.Frame] { return sttest.Frames(sttest.Tone(time.Second)) }

func TestConformance(t *testing.T) {
	for name, speculate := range map[string]bool{"plain": false, "speculative": true} {
		t.Run(name, func(t *testing.T) {
			sttest.Run(t, func(t *testing.T) sttest.Fixture {
				url := serve(t, understand(" What time is it? "))
				e := open(t, url, func(c *Config) { c.Speculate = speculate })
				return sttest.Fixture{Engine: e, Want: "What time is it?"}
			})
		})
	}
}

func TestConformanceWhileTheServerIsSlow(t *testing.T) {
	sttest.Run(t, func(t *testing.T) sttest.Fixture {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			u, err := receive(r)
			if err != nil {
				t.Error(err)
			}
			select {
			case <-time.After(30 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
			w.WriteHeader(http.StatusOK)
			fmt.Fprint(w, `{"text":`)
			w.(http.Flusher).Flush()
			select {
			case <-time.After(30 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
			fmt.Fprintf(w, `"%d samples"}`, len(u.pcm)/len(u.pcm))
		})
		return sttest.Fixture{Engine: open(t, url, nil), Want: "1 samples"}
	})
}

func TestRequest(t *testing.T) {
	uploads := make(chan upload, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		u, err := receive(r)
		if err != nil {
			t.Error(err)
		}
		uploads <- u
		fmt.Fprint(w, `{"text":"hello"}`)
	})
	e := open(t, url, func(c *Config) {
		c.Model, c.Language, c.Prompt, c.Temperature = "tiny", "en-GB", "Parley", 0.25
	})
	pcm := sttest.Tone(300 * time.Millisecond)
	got, err := final(t, e, sttest.Frames(pcm))
	if err != nil || got.Text != "hello" || !got.Final || got.Language != "en-GB" {
		t.Errorf("got %+v, %v", got, err)
	}
	u := <-uploads
	for name, want := range map[string]string{
		"model": "tiny", "language": "en", "prompt": "Parley", "temperature": "0.25", "response_format": "json",
	} {
		if u.fields[name] != want {
			t.Errorf("%s is %q, want %q", name, u.fields[name], want)
		}
	}
	if u.rate != audio.SpeechRate || len(u.pcm) != len(pcm) || u.pcm[100] != pcm[100] {
		t.Errorf("the server heard %d samples at %d Hz", len(u.pcm), u.rate)
	}
	if got := u.headers.Get("Authorization"); got != "Bearer sk-very-secret" {
		t.Errorf("authorization %q", got)
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		confident        bool
	}{
		{"empty", `{"text":""}`, "", false},
		{"spaces", `{"text":"  hello   there\n"}`, "hello there", false},
		{"blank", `{"text":" [BLANK_AUDIO]\n"}`, "", false},
		{"silence", `{"text":"(silence)"}`, "", false},
		{"cough", `{"text":"*coughs* ... (clears throat)"}`, "", false},
		{"music", `{"text":"♪ ♪"}`, "", false},
		{"blank after words", `{"text":"Hello. [BLANK_AUDIO]"}`, "Hello.", false},
		{"words in brackets", `{"text":"Call (555) 1234"}`, "Call (555) 1234", false},
		{"Japanese", `{"text":"こんにちは"}`, "こんにちは", false},
		{"segments", `{"text":"Hello. Thank you.","segments":[
			{"start":0,"end":1,"text":" Hello.","avg_logprob":-0.2,"no_speech_prob":0.01},
			{"start":1,"end":3,"text":" Thank you.","avg_logprob":-1.4,"no_speech_prob":0.9}]}`, "Hello.", true},
		{"only silence", `{"text":"Thank you.","segments":[
			{"start":0,"end":3,"text":" Thank you.","avg_logprob":-1.4,"no_speech_prob":0.9}]}`, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.body) }), nil)
			got, err := final(t, e, second())
			if err != nil || got.Text != c.want || !got.Final {
				t.Errorf("got %+v, %v; want %q", got, err, c.want)
			}
			if got.Confidence > 0 != c.confident || got.Confidence > 1 {
				t.Errorf("confidence %v", got.Confidence)
			}
		})
	}
}

func status(code int, header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// stall answers half a body and then nothing, until the client goes.
func stall(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"text":"hel`)
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func TestFaults(t *testing.T) {
	const words = `{"error":{"message":"bad key sk-very-secret, you said hello","code":"some_code"}}`
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		kind    fault.Kind
		sent    uint64
	}{
		{"401", status(401, "", words), fault.Unauthorized, 1},
		{"403", status(403, "", words), fault.Unauthorized, 1},
		{"404", status(404, "", words), fault.Misconfigured, 1},
		{"413", status(413, "", words), fault.BadInput, 1},
		{"429", status(429, "Retry-After: 7", words), fault.RateLimited, 1},
		{"500", status(500, "", words), fault.Failed, 2},
		{"503", status(503, "", "busy"), fault.Failed, 2},
		{"a web page", status(200, "Content-Type: text/html", "<html>"), fault.Misconfigured, 1},
		{"an error that says it is fine", status(200, "Content-Type: application/json", words), fault.Failed, 1},
		{"not JSON", status(200, "Content-Type: application/json", `{"text":`), fault.Failed, 1},
		{"text of another type", status(200, "Content-Type: application/json", `{"text":7}`), fault.Failed, 1},
		{"endless", status(200, "", `{"text":"`+strings.Repeat("x", answerBytes)+`"}`), fault.Failed, 2},
		{"stalls in the head", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fault.Stalled, 1},
		{"stalls in the body", stall, fault.Stalled, 1},
		{"hangs up", hangUp, fault.Unreachable, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if _, err := receive(r); err != nil {
					t.Error(err)
				}
				c.handler(w, r)
			})
			e := open(t, url, func(cfg *Config) { cfg.Timeout = time.Second })
			_, err := final(t, e, second())
			f := mustBe(t, err, c.kind)
			if c.kind == fault.RateLimited && f.RetryAfter != 7*time.Second {
				t.Errorf("retry after %v", f.RetryAfter)
			}
			if n := e.Stats().Sent; n != c.sent {
				t.Errorf("%d attempts, want %d", n, c.sent)
			}
		})
	}
}

func mustBe(t *testing.T, err error, kind fault.Kind) *fault.Error {
	t.Helper()
	f, ok := err.(*fault.Error)
	if !ok || f.Kind != kind {
		t.Fatalf("error %v, want one of kind %q", err, kind)
	}
	if s := err.Error(); strings.Contains(s, "secret") || strings.Contains(s, "you said") || strings.Contains(s, "http://") {
		t.Errorf("the error tells too much: %s", s)
	}
	return f
}

func TestRefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String() + "/v1"
	_ = l.Close()
	_, err = final(t, open(t, url, func(c *Config) { c.Retries = 0 }), second())
	mustBe(t, err, fault.Unreachable)
}

func TestTriesAgain(t *testing.T) {
	var n atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		understand("hello")(w, r)
	})
	e := open(t, url, nil)
	got, err := final(t, e, second())
	if s := e.Stats(); err != nil || got.Text != "hello" || s.Retried != 1 {
		t.Errorf("got %+v, %v after %+v", got, err, s)
	}
}

func TestConnectionIsKept(t *testing.T) {
	var mu sync.Mutex
	opened := 0
	s := httptest.NewUnstartedServer(understand("hello"))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateNew {
			opened++
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	e := open(t, s.URL+"/v1", nil)
	for range 5 {
		if _, err := final(t, e, second()); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if opened != 1 {
		t.Errorf("%d connections for five utterances", opened)
	}
}

// The first request goes out at the pause. When the speaker goes on it is given
// up, and the whole utterance is sent.
func TestSpeculation(t *testing.T) {
	arrived := make(chan int, 8)
	var gaveUp sync.WaitGroup
	gaveUp.Add(1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		u, err := receive(r)
		if err != nil {
			t.Error(err)
		}
		arrived <- len(u.pcm) / 320
		if len(u.pcm)/320 < 30 {
			<-r.Context().Done()
			gaveUp.Done()
			return
		}
		fmt.Fprintf(w, `{"text":"%d frames"}`, len(u.pcm)/320)
	})
	e := open(t, url, func(c *Config) { c.Speculate = true })
	var sizes []int
	speech := func(yield func(audio.Frame) bool) {
		i := 0
		for f := range sttest.Frames(sttest.Tone(time.Second)) {
			f.Activity = audio.Voice
			if i == 20 || i == 21 || i >= 40 {
				f.Activity = audio.Pause
			}
			if i++; !yield(f) {
				return
			}
			if i == 22 || i == 42 {
				sizes = append(sizes, <-arrived) // while the speaker is still silent
			}
		}
	}
	got, err := final(t, e, speech)
	if err != nil || got.Text != "41 frames" {
		t.Errorf("got %+v, %v", got, err)
	}
	gaveUp.Wait()
	if s := e.Stats(); s.Sent != 2 || s.Abandoned != 1 || fmt.Sprint(sizes) != "[21 41]" {
		t.Errorf("%+v, sizes %v; want two requests, of 21 and 41 frames, one given up", s, sizes)
	}
}

func TestCancelReachesTheServer(t *testing.T) {
	gone := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if _, err := receive(r); err != nil {
			t.Error(err)
		}
		cancel()
		<-r.Context().Done()
		close(gone)
	})
	for _, err := range open(t, url, nil).Transcribe(ctx, second()) {
		if err != context.Canceled {
			t.Errorf("error %v, want the context's", err)
		}
	}
	<-gone
}

func TestLongUtteranceIsCut(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		u, err := receive(r)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, `{"text":"%d"}`, len(u.pcm))
	})
	e := open(t, url, func(c *Config) { c.MaxUtterance = 500 * time.Millisecond })
	if got, err := final(t, e, second()); err != nil || got.Text != "8000" {
		t.Errorf("got %+v, %v; want 8000 samples", got, err)
	}
}

func TestOtherRatesAreRefused(t *testing.T) {
	e := open(t, "http://127.0.0.1:1/v1", nil)
	_, err := final(t, e, func(yield func(audio.Frame) bool) { yield(audio.Frame{PCM: make([]int16, 960), Rate: 48000}) })
	if fault.KindOf(err) != fault.BadInput {
		t.Errorf("48 kHz: %v", err)
	}
}

func TestCheck(t *testing.T) {
	good := DefaultConfig()
	good.BaseURL = "http://127.0.0.1:8000/v1"
	if err := Check(good); err != nil {
		t.Error(err)
	}
	cloud := DefaultConfig()
	cloud.APIKey = "sk"
	if err := Check(cloud); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"nothing set":           func(c *Config) { c.BaseURL = "" },
		"not a URL":             func(c *Config) { c.BaseURL = "::" },
		"temperature":           func(c *Config) { c.Temperature = 2 },
		"no timeout":            func(c *Config) { c.Timeout = 0 },
		"retries":               func(c *Config) { c.Retries = 9 },
		"no utterance":          func(c *Config) { c.MaxUtterance = 0 },
		"too long an utterance": func(c *Config) { c.MaxUtterance = time.Hour },
	} {
		c := good
		change(&c)
		if err := Check(c); fault.KindOf(err) != fault.Misconfigured {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSpoken(f *testing.F) {
	f.Add("Hello. [BLANK_AUDIO]")
	f.Add("(silence) *x* ♪")
	f.Fuzz(func(t *testing.T, text string) {
		s := spoken(text)
		if len(s) > len(text) || strings.Contains(s, "  ") || strings.TrimSpace(s) != s {
			t.Errorf("%q became %q", text, s)
		}
	})
}
