package loadtest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestParseAddress(t *testing.T) {
	for raw, want := range map[string]string{
		"http://127.0.0.1:8080":     "http://127.0.0.1:8080 ws://127.0.0.1:8080/ws true",
		"127.0.0.1:8080":            "http://127.0.0.1:8080 ws://127.0.0.1:8080/ws true",
		"http://localhost/":         "http://localhost ws://localhost/ws true",
		"https://voice.example.com": "https://voice.example.com wss://voice.example.com/ws false",
		"https://example.com/voice": "https://example.com/voice wss://example.com/voice/ws false",
		"ws://10.0.0.1:9/ws":        "http://10.0.0.1:9 ws://10.0.0.1:9/ws false",
		"WSS://[::1]:8080/a/ws/":    "https://[::1]:8080/a wss://[::1]:8080/a/ws true",
	} {
		at, err := parseAddress(raw)
		if got := fmt.Sprint(at.page, " ", at.socket, " ", at.local); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", raw, got, err, want)
		}
		if want := at.page + "/v1/realtime/calls"; at.offers != want {
			t.Errorf("%s: offers go to %s, want %s", raw, at.offers, want)
		}
	}
	for _, raw := range []string{"", "  ", "ftp://host", "http://", "http://a b", "://", "http://host:port"} {
		if _, err := parseAddress(raw); ClassOf(err) != BadUsage {
			t.Errorf("%q: got %v", raw, err)
		}
	}
}

// loopback serves a handler for as long as the test runs.
func loopback(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// answersSocket upgrades and hands the socket to f.
func answersSocket(f func(ws *websocket.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		f(ws)
	})
}

func TestDialFailures(t *testing.T) {
	defer goleak.VerifyNone(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	reply := func(m string) http.Handler {
		return answersSocket(func(ws *websocket.Conn) {
			_, _, _ = ws.ReadMessage()
			_ = ws.WriteMessage(websocket.TextMessage, []byte(m))
		})
	}
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, c := range []struct {
		name, url string
		server    http.Handler
		class     Class
		says      string
	}{
		{"nobody", "http://" + closed.Addr().String(), nil, Unreachable, "Nothing answers at"},
		{"no such machine", "http://parley.invalid", nil, Unreachable, "parley.invalid"},
		{"no address", "", nil, BadUsage, "No address"},
		{"a certificate of its own", secure.URL, nil, Unreachable, "--insecure"},
		{"no TLS", strings.Replace(plain.URL, "http", "https", 1), nil, NotParley, "does not speak TLS"},
		{"another web server", "", http.NotFoundHandler(), NotParley, "gave HTTP 404"},
		{"a page", "", status(200), NotParley, "gave HTTP 200"},
		{"no key", "", status(401), Unauthorized, "This server asks for a key; give it with --key or PARLEY_KEY."},
		{"wrong key", "", status(401), Unauthorized, "The key is wrong; give the right one with --key"},
		{"wrong key, told on the socket", "", &bot{key: "secret"}, Unauthorized, "The key is wrong;"},
		{"full", "", status(503), Refused, "no room"},
		{"no key, told on the socket", "", &bot{key: "secret"}, Unauthorized, "This server asks for a key"},
		{"another refusal", "", reply(`{"type":"error","code":"too_many_calls","message":"Try later.","fatal":true}`), Refused, "Try later."},
		{"goodbye", "", reply(`{"type":"bye","reason":"shutdown"}`), Refused, "shutdown"},
		{"another socket", "", reply(`hello there`), NotParley, "does not speak parley's signaling"},
		{"a socket that hangs up", "", answersSocket(func(*websocket.Conn) {}), NotParley, "closed the connection"},
		{"a socket that says nothing", "", answersSocket(func(ws *websocket.Conn) {
			_, _, _ = ws.ReadMessage()
			_, _, _ = ws.ReadMessage()
		}), NotParley, "never said hello"},
		{"no answer to the offer", "", answersSocket(func(ws *websocket.Conn) {
			_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"joined"}`))
			for err := error(nil); err == nil; _, _, err = ws.ReadMessage() {
			}
		}), NotParley, "never answered the offer"},
		{"an answer that is none", "", answersSocket(func(ws *websocket.Conn) {
			_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"joined"}`))
			_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"answer","sdp":"nonsense"}`))
			for err := error(nil); err == nil; _, _, err = ws.ReadMessage() {
			}
		}), NotParley, "not usable SDP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.server != nil {
				c.url = loopback(t, c.server).URL
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			key := "wrong"
			if strings.HasPrefix(c.name, "no key") {
				key = ""
			}
			call, err := Dial(ctx, Options{URL: c.url, Key: key})
			if err == nil {
				call.Hangup()
			}
			if ClassOf(err) != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q: %v; want %q with %q", ClassOf(err), err, c.class, c.says)
			}
			if ExitCode(err) != 2 {
				t.Errorf("exit code %d", ExitCode(err))
			}
		})
	}
}

// Over the machine's own loopback, once each way of signaling.
func TestCallOnLoopback(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, connect := range map[string]Connector{"socket": WebSocket, "posted offer": HTTPOffer} {
		t.Run(name, func(t *testing.T) {
			b := answering()
			b.key, b.silence, b.answer = "secret", 60*ms, hum("answer", 0, 100*ms, 0)
			server := loopback(t, b)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			call, err := Dial(ctx, Options{URL: server.URL, Key: "secret", Connect: connect})
			if err != nil {
				t.Fatal(err)
			}
			turn, err := call.Say(ctx, hum("question", 0, 100*ms, 0))
			if err != nil || !turn.Answered || turn.Reply != "It is four." {
				t.Errorf("%+v, %v", turn, err)
			}
			call.Hangup()
			b.calls.Wait()
			if name == "posted offer" && (len(b.got) == 0 || b.got[len(b.got)-1] != "deleted") {
				t.Errorf("the call was not deleted: %v", b.got)
			}
		})
	}
}

// The server's end, in the middle of a turn, is noticed.
func TestServerDiesDuringCall(t *testing.T) {
	defer goleak.VerifyNone(t)
	b := answering()
	b.answer = nil
	server := httptest.NewServer(b)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	call, err := Dial(ctx, Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan error, 1)
	go func() {
		_, err := call.Say(ctx, hum("question", 0, 100*ms, 0))
		said <- err
	}()
	b.call.hangup() // its peer connection closes, as at a process's orderly end
	server.CloseClientConnections()
	server.Close()
	if err := <-said; ClassOf(err) != CallLost || ExitCode(err) != 1 {
		t.Errorf("got %v", err)
	}
	call.Hangup()
	b.calls.Wait()
}
