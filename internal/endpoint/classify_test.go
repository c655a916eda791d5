package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"go.uber.org/goleak"

	"parley/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// said stands for what a caller said; no error may repeat it.
const said = "my card number is 1234"

func serve(t *testing.T, h http.HandlerFunc) Config {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return Config{BaseURL: s.URL + "/v1", APIKey: plain}
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func chat(ctx context.Context, cfg Config) error {
	c := NewClient(cfg, Options{MaxBytes: 1 << 20})
	defer c.Close()
	s, err := c.CreateChatCompletionStream(ctx, openai.ChatCompletionRequest{Model: "m",
		Messages: []openai.ChatCompletionMessage{{Role: "user", Content: said}}})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for {
		if _, err := s.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestClassifyAnswers(t *testing.T) {
	object := func(code string) string {
		return fmt.Sprintf(`{"error":{"message":"%s %s","type":"some_error","code":%q}}`, said, plain, code)
	}
	hijack := func(head string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, head)
			if tcp, ok := conn.(*net.TCPConn); ok && head != "" {
				_ = tcp.SetLinger(0)
			}
			_ = conn.Close()
		}
	}
	const sse = "text/event-stream"
	tests := map[string]struct {
		handler http.HandlerFunc
		want    fault.Kind
		text    string
	}{
		"401":              {answer(401, "application/json", object("invalid_api_key")), fault.Unauthorized, "invalid_api_key"},
		"403":              {answer(403, "application/json", "{}"), fault.Unauthorized, "403"},
		"404":              {answer(404, "application/json", object("model_not_found")), fault.Misconfigured, "model_not_found"},
		"400":              {answer(400, "application/json", object("context_length_exceeded")), fault.BadInput, "context_length_exceeded"},
		"408":              {answer(408, "text/plain", said), fault.Stalled, "408"},
		"429":              {answer(429, "application/json", object("rate_limit_exceeded")), fault.RateLimited, "429"},
		"500 text":         {answer(500, "text/plain", said), fault.Failed, "500"},
		"503":              {answer(503, "text/html", said), fault.Failed, "503"},
		"code with a key":  {answer(400, "application/json", object(plain)), fault.BadInput, "some_error"},
		"error as string":  {answer(400, "application/json", `{"error":"`+said+`"}`), fault.BadInput, "400"},
		"web page":         {answer(200, "text/html", said), fault.Misconfigured, "text/html"},
		"json with 200":    {answer(200, "application/json", object("overloaded")), fault.Failed, "overloaded"},
		"quota with 200":   {answer(200, "application/json", object("insufficient_quota")), fault.RateLimited, "insufficient_quota"},
		"error mid-stream": {answer(200, sse, `data: {"error":{"message":"`+said+`","code":"server_error"}}`+"\n\n"), fault.Failed, "server_error"},
		"not json":         {answer(200, sse, "data: "+said+"\n\n"), fault.Failed, "not the expected JSON"},
		"wrong json":       {answer(200, sse, `data: {"choices":"`+said+`"}`+"\n\n"), fault.Failed, "not the expected JSON"},
		"no data":          {answer(200, sse, strings.Repeat(": "+said+"\n", 1000)), fault.Failed, "no data"},
		"one endless line": {answer(200, sse, "data: "+strings.Repeat(said, 100_000)), fault.Failed, "longer than allowed"},
		"closed at once":   {hijack(""), fault.Unreachable, "closed the connection"},
		"reset": {hijack("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: "),
			fault.Unreachable, "connection"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := Classify("llm/openai: reply", chat(t.Context(), serve(t, test.handler)))
			check(t, err, test.want, test.text)
		})
	}
}

func check(t *testing.T, err error, want fault.Kind, text string) {
	t.Helper()
	if fault.KindOf(err) != want {
		t.Fatalf("got kind %q of %v, want %q", fault.KindOf(err), err, want)
	}
	s := fmt.Sprintf("%v %+v", err, err)
	if !strings.Contains(s, text) {
		t.Errorf("%q does not say %q", s, text)
	}
	if strings.Contains(s, "1234") || strings.Contains(s, plain) {
		t.Errorf("%q tells too much", s)
	}
	if !errors.As(err, new(*fault.Error)) {
		t.Errorf("%T is not a fault", err)
	}
}

func TestClassifyNetwork(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + closed.Addr().String() + "/v1"
	_ = closed.Close()
	plainHTTP := serve(t, answer(200, "text/plain", ""))

	t.Run("refused", func(t *testing.T) {
		check(t, Classify("x: y", chat(t.Context(), Config{BaseURL: refused, APIKey: plain})), fault.Unreachable, "refused")
	})
	t.Run("no TLS", func(t *testing.T) {
		cfg := Config{BaseURL: strings.Replace(plainHTTP.BaseURL, "http:", "https:", 1), APIKey: plain}
		check(t, Classify("x: y", chat(t.Context(), cfg)), fault.Misconfigured, "http://")
	})
	t.Run("certificate", func(t *testing.T) {
		s := httptest.NewUnstartedServer(answer(200, "text/plain", ""))
		s.Config.ErrorLog = discardLog()
		s.StartTLS()
		defer s.Close()
		check(t, Classify("x: y", chat(t.Context(), Config{BaseURL: s.URL})), fault.Misconfigured, "certificate")
	})
	t.Run("canceled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		check(t, Classify("x: y", chat(ctx, plainHTTP)), fault.Canceled, "canceled")
	})
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		check(t, Classify("x: y", chat(ctx, plainHTTP)), fault.Stalled, "in time")
	})
	t.Run("no such host", func(t *testing.T) {
		err := &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}
		check(t, Classify("x: y", fmt.Errorf("dial: %w", err)), fault.Unreachable, "no such host")
	})
	t.Run("connect timeout", func(t *testing.T) {
		err := &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
		check(t, Classify("x: y", err), fault.Unreachable, "dial")
	})
	t.Run("classified already", func(t *testing.T) {
		err := fault.Newf(fault.Overloaded, "a: b", "full")
		if got := Classify("x: y", err); got != error(err) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		check(t, Classify("x: y", errors.New(said)), fault.Failed, "request failed")
	})
	if Classify("x: y", nil) != nil {
		t.Error("nil became an error")
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "2", 2 * time.Second},
		{"Retry-After", " 0.5 ", 500 * time.Millisecond},
		{"Retry-After", now.Add(7 * time.Second).Format(http.TimeFormat), 7 * time.Second},
		{"Retry-After", now.Add(-time.Minute).Format(http.TimeFormat), 0},
		{"Retry-After", "1e300", time.Hour},
		{"Retry-After", "-3", 0},
		{"Retry-After", "NaN", 0},
		{"Retry-After", "soon", 0},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
		{"Retry-After-Ms", "1e300", time.Hour},
		{"X", "", 0},
	}
	for _, test := range tests {
		if got := retryAfter(http.Header{test.name: {test.value}}, now); got != test.want {
			t.Errorf("%s %q: got %v, want %v", test.name, test.value, got, test.want)
		}
	}
	cfg := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	var f *fault.Error
	if err := Classify("x: y", chat(t.Context(), cfg)); !errors.As(err, &f) || f.RetryAfter != 3*time.Second {
		t.Errorf("through the client: got %v", err)
	}
}

func TestRedirectsStayHome(t *testing.T) {
	var stolen atomic.Int32
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { stolen.Add(1) })
	home := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/models":
			http.Redirect(w, r, "/v2/models", http.StatusTemporaryRedirect)
		case "/v2/models":
			answer(200, "application/json", `{"data":[{"id":"a"},{"id":"b"}]}`)(w, r)
		default:
			http.Redirect(w, r, elsewhere.BaseURL, http.StatusTemporaryRedirect)
		}
	})
	check(t, Classify("x: y", chat(t.Context(), home)), fault.Misconfigured, "redirected")
	if stolen.Load() != 0 {
		t.Error("followed a redirect to another host")
	}
	c := NewClient(home, Options{})
	defer c.Close()
	if names, err := c.Models(t.Context()); err != nil || len(names) != 2 || names[0] != "a" {
		t.Errorf("on the same host: got %v, %v", names, err)
	}
}
