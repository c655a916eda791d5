package signaling

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// sendQueue is how many batches may wait for a client; one more closes its socket.
	sendQueue = 64
	// closeGrace is how long a client has to read the last words and close its side.
	closeGrace = 2 * time.Second
	// writeBuffer bounds what the kernel keeps for a client that does not read.
	writeBuffer = 64 << 10
)

// socket is a client's WebSocket. One goroutine reads; writeLoop is the only
// one that writes messages; send, finish and fail may be called from any.
type socket struct {
	ws     *websocket.Conn
	config *Config
	events string // "socket": the client wants its events here, always

	out      chan [][]byte // bounded; overflow fails the socket
	last     chan farewell
	joined   atomic.Bool // it belongs to a call, which says the farewell
	finished atomic.Bool
	broken   chan struct{} // closed by fail
	once     sync.Once
	written  chan struct{} // closed when writeLoop has ended
}

// farewell is the last that a client is sent.
type farewell struct {
	code     int // WebSocket close code
	reason   string
	messages [][]byte
}

func newSocket(ws *websocket.Conn, config *Config) *socket {
	s := &socket{
		ws: ws, config: config,
		out: make(chan [][]byte, sendQueue), last: make(chan farewell, 1), broken: make(chan struct{}), written: make(chan struct{}),
	}
	if tcp, ok := ws.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(writeBuffer) // an optimisation only
	}
	ws.SetPongHandler(func(string) error { s.alive(); return nil })
	return s
}

// send queues messages as one batch. A client that has left sendQueue batches
// unread is cut off; it may resume.
func (s *socket) send(messages ...[]byte) {
	if len(messages) == 0 || s.finished.Load() {
		return
	}
	select {
	case s.out <- messages:
	default:
		s.fail()
	}
}

// finish sends what is queued, then the farewell, and closes the socket.
func (s *socket) finish(f farewell) {
	if s.finished.CompareAndSwap(false, true) {
		s.last <- f
	}
}

// fail cuts the connection.
func (s *socket) fail() {
	s.once.Do(func() {
		close(s.broken)
		_ = s.ws.Close() // frees a reader and a writer that wait on the connection
	})
}

// sayShutdown ends a socket that belongs to no call.
func (s *socket) sayShutdown() {
	s.finish(farewell{code: websocket.CloseGoingAway, reason: "shutdown", messages: [][]byte{byeMessage("shutdown")}})
}

// end closes the connection, after the farewell where there is one, and waits
// for the writer.
func (s *socket) end() {
	if s.finished.Load() {
		<-s.written
	}
	s.fail()
	<-s.written
}

// alive notes that the client is there. Once the farewell was said, only the
// grace is left.
func (s *socket) alive() {
	_ = s.ws.SetReadDeadline(time.Now().Add(2 * s.config.PingInterval))
	if s.finished.Load() {
		_ = s.ws.SetReadDeadline(time.Now().Add(closeGrace))
	}
}

var (
	errTooBig = errors.New("signaling: read message: larger than allowed")
	errBinary = errors.New("signaling: read message: not text")
)

// read returns the next message. After errTooBig or errBinary the socket can be
// read on; the rest of such a message is never held in memory.
func (s *socket) read() ([]byte, error) {
	kind, r, err := s.ws.NextReader()
	if err != nil {
		return nil, err
	}
	if kind != websocket.TextMessage {
		return nil, errBinary
	}
	data, err := io.ReadAll(io.LimitReader(r, MaxMessage+1))
	if err == nil && len(data) > MaxMessage {
		return nil, errTooBig
	}
	return data, err
}

// writeLoop writes until the farewell or the end of the connection.
func (s *socket) writeLoop() {
	defer close(s.written)
	ping := time.NewTicker(s.config.PingInterval)
	defer ping.Stop()
	for {
		select {
		case batch := <-s.out:
			if !s.write(batch, s.deadline()) {
				return
			}
		case <-ping.C:
			if s.ws.WriteControl(websocket.PingMessage, nil, s.deadline()) != nil {
				s.fail()
				return
			}
		case f := <-s.last:
			s.sayFarewell(f)
			return
		case <-s.broken:
			return
		}
	}
}

// sayFarewell has one write timeout for all that is left to say.
func (s *socket) sayFarewell(f farewell) {
	deadline := s.deadline()
	for len(s.out) > 0 {
		if !s.write(<-s.out, deadline) {
			return
		}
	}
	if !s.write(f.messages, deadline) {
		return
	}
	if s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(f.code, f.reason), deadline) != nil {
		s.fail()
		return
	}
	// The reader goes on until the client closes or the grace is over: closing
	// with unread data would take the last words away from the client.
	_ = s.ws.SetReadDeadline(time.Now().Add(closeGrace))
}

// write sends a batch.
func (s *socket) write(batch [][]byte, deadline time.Time) bool {
	_ = s.ws.SetWriteDeadline(deadline)
	for _, m := range batch {
		if s.ws.WriteMessage(websocket.TextMessage, m) != nil {
			s.fail()
			return false
		}
	}
	return true
}

func (s *socket) deadline() time.Time { return time.Now().Add(s.config.WriteTimeout) }
