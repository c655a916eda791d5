package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a Server under test with its backend.
type rig struct {
	t       *testing.T
	backend *fakeBackend
	server  *Server
	dial    func(ctx context.Context, network, addr string) (net.Conn, error) // nil: the network
	url     string                                                            // http://host
}

// newRig starts a server on loopback. change may alter the configuration.
func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	r := makeRig(t, change)
	ts := httptest.NewServer(r.server)
	r.url = ts.URL
	t.Cleanup(func() { r.shutdown(); ts.Close(); http.DefaultClient.CloseIdleConnections() })
	return r
}

// inBubble runs a test in fake time, over pipes.
func inBubble(t *testing.T, test func(*rig), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := makeRig(t, change)
		l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		r.url, r.dial = "http://127.0.0.1", l.dial
		srv := &http.Server{Handler: r.server}
		served := make(chan struct{})
		go func() { defer close(served); _ = srv.Serve(l) }()
		defer func() {
			r.shutdown()
			_ = srv.Close()
			<-served
		}()
		test(r)
	})
}

func makeRig(t *testing.T, change []func(*Options)) *rig {
	t.Helper()
	b := newFakeBackend()
	o := Options{Config: DefaultConfig(), Backend: b, Log: slog.New(slog.DiscardHandler), Version: "test",
		Engines: map[string]string{"stt": "scripted"}, Session: defaultSession()}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, backend: b, server: s}
}

// shutdown ends the server and checks that nothing is left.
func (r *rig) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		r.t.Error(err)
	}
	if n := r.backend.open.Load(); n != 0 {
		r.t.Errorf("%d talks or peers were not closed", n)
	}
	if n := r.server.Live(); n != 0 {
		r.t.Errorf("%d calls are still live", n)
	}
}

// pipeListener accepts connections that are pipes in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// client is a test's end of a signaling socket.
type client struct {
	t  *testing.T
	ws *websocket.Conn
}

// connect opens a socket; header may be nil.
func (r *rig) connect(header http.Header) *client {
	r.t.Helper()
	c, resp, err := r.tryConnect(header)
	if err != nil {
		r.t.Fatalf("dial: %v (%v)", err, resp)
	}
	return c
}

func (r *rig) tryConnect(header http.Header) (*client, *http.Response, error) {
	d := websocket.Dialer{NetDialContext: r.dial}
	ws, resp, err := d.Dial("ws"+strings.TrimPrefix(r.url, "http")+"/ws", header)
	if err != nil {
		return nil, resp, err
	}
	r.t.Cleanup(func() { _ = ws.Close() })
	return &client{r.t, ws}, resp, nil
}

// join opens a socket and joins; more are further fields of the message.
func (r *rig) join(more ...string) (*client, message) {
	r.t.Helper()
	c := r.connect(nil)
	c.say(`{"v":1,"type":"join"` + strings.Join(append([]string{""}, more...), ",") + `}`)
	return c, c.want("joined")
}

func (c *client) say(text string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

func (c *client) offer(sdp string) { c.t.Helper(); c.say(offerMessage(sdp)) }

func offerMessage(sdp string) string {
	text, _ := json.Marshal(sdp)
	return fmt.Sprintf(`{"v":1,"type":"offer","sdp":%s}`, text)
}

// offerOf makes an offer of the client's peer connection with that number.
func offerOf(connection, version int) string {
	return fmt.Sprintf("v=0\r\no=- %d %d IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 AA:%02d\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", connection, version, connection)
}

// message is a message of the server.
type message struct {
	V            int             `json:"v"`
	Type         string          `json:"type"`
	Call         string          `json:"call"`
	Resume       string          `json:"resume"`
	Resumed      bool            `json:"resumed"`
	ResumeWindow int             `json:"resume_window_ms"`
	ICEServers   json.RawMessage `json:"ice_servers"`
	SDP          string          `json:"sdp"`
	Candidate    json.RawMessage `json:"candidate"`
	Code         string          `json:"code"`
	Message      string          `json:"message"`
	Fatal        bool            `json:"fatal"`
	Reason       string          `json:"reason"`
	T            json.RawMessage `json:"t"`
	Event        struct {
		Type       string `json:"type"`
		EventID    string `json:"event_id"`
		Reason     string `json:"reason"`
		Transcript string `json:"transcript"`
		Item       struct {
			ID string `json:"id"`
		} `json:"item"`
		Error struct {
			Code    string  `json:"code"`
			EventID *string `json:"event_id"`
		} `json:"error"`
	} `json:"event"`
}

// next reads one message.
func (c *client) next() message {
	c.t.Helper()
	m, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return m
}

func (c *client) read() (message, error) {
	var m message
	_ = c.ws.SetReadDeadline(time.Now().Add(time.Minute))
	_, raw, err := c.ws.ReadMessage()
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.V != 1 {
		return m, fmt.Errorf("not a message of version 1: %s", raw)
	}
	return m, nil
}

// want reads on to a message of a type, or to an event of that type.
func (c *client) want(kind string) message {
	c.t.Helper()
	for {
		m := c.next()
		if m.Type == kind || m.Event.Type == kind {
			return m
		}
		if m.Type == "error" {
			c.t.Fatalf("got error %s (%s), want %s", m.Code, m.Message, kind)
		}
	}
}

// wantError reads on to an error message of a code.
func (c *client) wantError(code string) message {
	c.t.Helper()
	for {
		m := c.next()
		if m.Type == "error" {
			if m.Code != code || m.Message == "" {
				c.t.Fatalf("got error %q (%s), want %q", m.Code, m.Message, code)
			}
			return m
		}
	}
}

// wantClose reads on to the close of the socket and checks its code.
func (c *client) wantClose(code int) {
	c.t.Helper()
	for {
		_, err := c.read()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			if closed.Code != code {
				c.t.Errorf("closed with %d, want %d", closed.Code, code)
			}
			return
		}
		if err != nil {
			c.t.Fatalf("socket ended with %v, want close %d", err, code)
		}
	}
}

// listen reads on in the background, as a client does that has nothing to say.
func (c *client) listen() {
	_ = c.ws.SetReadDeadline(time.Time{})
	go func() {
		for {
			if _, _, err := c.ws.ReadMessage(); err != nil {
				return
			}
		}
	}()
}

// drop cuts the connection without a word.
func (c *client) drop() { _ = c.ws.NetConn().Close() }
