package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/app"
	"parley/loadtest"
)

// A model that fails is told of, aloud, and the call goes on.
func TestModelFailsMidCall(t *testing.T) {
	tests := []struct {
		kind   string
		after  int // words before it fails
		spoken string
	}{
		{"unreachable", 0, "cannot reach"},
		{"unauthorized", 0, "refused access"},
		{"rate_limited", 0, "too many people"},
		{"failed", 0, "went wrong"},
		{"failed", 2, "lost my thread"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s after %d words", tt.kind, tt.after), func(t *testing.T) {
			cfg := testConfig()
			cfg.LLM.Scripted.Fail, cfg.LLM.Scripted.After = tt.kind, tt.after
			inFakeTime(t, cfg, func(v *virtual) {
				c, ctx := v.call(loadtest.Options{})
				defer c.Hangup()
				for range 2 {
					turn, _ := c.Say(ctx, clip(t, "what-time-is-it-1.wav"))
					if !strings.Contains(turn.Reply, tt.spoken) || len(turn.Notices) != 1 || turn.ReplyLength < time.Second {
						t.Errorf("heard %q for %v, notices %q", turn.Reply, turn.ReplyLength, turn.Notices)
					}
				}
			})
		})
	}
}

// endpoint is a model server on loopback that misbehaves.
func endpoint(t *testing.T, behave http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	})
	mux.HandleFunc("/v1/chat/completions", behave)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

func chunk(w http.ResponseWriter, text string) {
	fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
	w.(http.Flusher).Flush()
}

// The same with real sockets and the real client: what endpoints do wrong, and
// what a caller hears of it.
func TestModelEndpoints(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			http.Error(w, `{"error":{"message":"no"}}`, code)
		}
	}
	tests := []struct {
		name, spoken string
		behave       http.HandlerFunc
	}{
		{"works", "all is well", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			chunk(w, "all is well.")
			fmt.Fprint(w, "data: [DONE]\n\n")
		}},
		{"401", "refused access", status(401)},
		{"429", "too many people", status(429)},
		{"500", "went wrong", status(500)},
		{"stalls mid-stream", "lost my thread", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			chunk(w, "It is about ")
			<-r.Context().Done()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := endpoint(t, tt.behave)
			url := serve(t, func(c *app.Config) {
				c.STT.Engine, c.TTS.Engine, c.Store.Engine = "scripted", "scripted", "none"
				c.LLM.Engine, c.LLM.OpenAI.BaseURL, c.LLM.OpenAI.Retries = "openai", base, 0
			})
			checkReply(t, url, tt.spoken)
		})
	}
	t.Run("down", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		must(t, l.Close())
		url := serve(t, func(c *app.Config) {
			c.STT.Engine, c.TTS.Engine, c.Store.Engine = "scripted", "scripted", "none"
			c.LLM.Engine, c.LLM.OpenAI.BaseURL, c.LLM.OpenAI.Retries = "openai", "http://"+l.Addr().String()+"/v1", 0
		})
		checkReply(t, url, "cannot reach")
	})
}

// checkReply writes twice, and wants both answered with words that hold want.
func checkReply(t *testing.T, url, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := loadtest.Dial(ctx, loadtest.Options{URL: url})
	must(t, err)
	defer c.Hangup()
	for range 2 {
		turn, _ := c.Write(ctx, "how are things")
		if !strings.Contains(turn.Reply, want) {
			t.Errorf("answered %q, notices %q", turn.Reply, turn.Notices)
		}
	}
}
