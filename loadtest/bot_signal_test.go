package loadtest

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"
)

// ServeHTTP is the bot behind a real socket.
func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/ws" {
		b.serveHTTP(w, r)
		return
	}
	up := websocket.Upgrader{}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	b.serve(context.Background(), &socket{ws: ws})
}

// serveHTTP is the bot for clients that post their offer.
func (b *bot) serveHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/realtime/calls":
		offer, err := io.ReadAll(r.Body)
		must(err)
		call := &botCall{bot: b, conn: &memoryConn{out: make(chan []byte, 100)}, loud: make(chan time.Time, 64), texts: make(chan string, 8)}
		call.open(context.Background())
		must(call.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)}))
		answer, err := call.pc.CreateAnswer(nil)
		must(err)
		gathered := webrtc.GatheringCompletePromise(call.pc)
		must(call.pc.SetLocalDescription(answer))
		<-gathered
		b.mu.Lock()
		b.call = call
		b.mu.Unlock()
		w.Header().Set("Location", "/v1/realtime/calls/7")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, call.pc.LocalDescription().SDP)
	case r.Method == http.MethodDelete && r.URL.Path == "/v1/realtime/calls/7":
		b.mu.Lock()
		pc := b.call.pc
		b.got = append(b.got, "deleted")
		b.mu.Unlock()
		_ = pc.GracefulClose()
	default:
		http.NotFound(w, r)
	}
}

// connector gives calls a socket in memory. The bot's side ends with ctx.
func (b *bot) connector(ctx context.Context) Connector {
	return func(context.Context, Options) (SignalingConn, error) {
		up, down := make(chan []byte, 100), make(chan []byte, 100)
		gone := make(chan struct{})
		var once sync.Once
		hangup := func() { once.Do(func() { close(gone) }) }
		b.calls.Go(func() { b.serve(ctx, &memoryConn{in: up, out: down, gone: gone, close: hangup}) })
		return &memoryConn{in: down, out: up, gone: gone, close: hangup}, nil
	}
}

type memoryConn struct {
	in, out chan []byte
	gone    chan struct{}
	close   func()
}

func (m *memoryConn) Read() ([]byte, error) {
	select {
	case b := <-m.in:
		return b, nil
	case <-m.gone:
		return nil, io.EOF
	}
}

func (m *memoryConn) Write(b []byte) error {
	select {
	case m.out <- b:
		return nil
	case <-m.gone:
		return io.ErrClosedPipe
	}
}

func (m *memoryConn) Close() error { m.close(); return nil }
