package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// outbox is how many messages may wait to be written; one more breaks the
// socket, as a far side that reads nothing deserves.
const outbox = 64

// wire is a signaling connection in use: one goroutine reads, one writes.
type wire struct {
	conn  SignalingConn
	out   chan []byte
	wrote chan struct{} // closed when the writer has ended
	down  bool          // guarded by the Caller's mutex

	mu     sync.Mutex
	closed bool
}

// put queues a message; false when the queue is full.
func (w *wire) put(m []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return true
	}
	select {
	case w.out <- m:
		return true
	default:
		return false
	}
}

// finish writes what is queued and a last message, if any, within a second, and
// closes.
func (w *wire) finish(last []byte) {
	if last != nil {
		w.put(last)
	}
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.out)
	}
	w.mu.Unlock()
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-w.wrote:
	case <-timer.C:
	}
	_ = w.conn.Close()
}

// join opens the signaling and says who is calling; token resumes a call.
func (c *Caller) join(ctx context.Context, token string) (SignalingConn, message, error) {
	session, err := c.o.session()
	if err != nil {
		return nil, message{}, err
	}
	conn, err := c.o.Connect(ctx, c.o)
	if err != nil {
		return nil, message{}, err
	}
	release := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer release()
	hello := message{Type: "join", Key: c.o.Key, Client: c.o.Client, Session: session, Resume: token}
	if err := conn.Write(encodeMessage(hello)); err != nil {
		_ = conn.Close()
		return nil, message{}, failf(Unreachable, err, "%s closed the connection at once.", c.o.URL)
	}
	m, err := c.readJoined(conn)
	if err != nil {
		_ = conn.Close()
		if ctx.Err() != nil && ClassOf(err) == NotParley {
			err = failf(NotParley, ctx.Err(), "%s took the connection but never said hello: it is not parley, or it hangs.", c.o.URL)
		}
		return nil, message{}, err
	}
	return conn, m, nil
}

// readJoined reads up to the joined message, or the reason why there is none.
func (c *Caller) readJoined(conn SignalingConn) (message, error) {
	for {
		raw, err := conn.Read()
		if err != nil {
			return message{}, failf(NotParley, err, "%s closed the connection instead of taking the call (%v).", c.o.URL, root(err))
		}
		var m message
		if json.Unmarshal(raw, &m) != nil || m.Type == "" {
			return message{}, failf(NotParley, nil, "Something answers at %s, but it does not speak parley's signaling.", c.o.URL)
		}
		switch {
		case m.Type == "joined":
			return m, nil
		case m.Type == "error" && (m.Fatal || m.Code != "resume_expired"):
			return message{}, c.refusal(m)
		case m.Type == "bye":
			return message{}, failf(Refused, nil, "parley ended the call at once: %s.", m.Reason)
		}
	}
}

// refusal turns an error message into an error.
func (c *Caller) refusal(m message) error {
	cause := fmt.Errorf("loadtest: %s: %s", m.Code, m.Message)
	if strings.Contains(m.Code, "auth") || strings.Contains(m.Code, "key") {
		return unauthorized(c.o.Key, cause)
	}
	return failf(Refused, cause, "parley refused: %s", m.Message)
}

// adopt makes conn the call's signaling and starts to serve it.
func (c *Caller) adopt(conn SignalingConn, joined message) {
	w := &wire{conn: conn, out: make(chan []byte, outbox), wrote: make(chan struct{})}
	c.update(func() { c.wire, c.call, c.token = w, joined.Call, joined.Resume })
	c.tasks.Go(func() {
		defer close(w.wrote)
		for m := range w.out {
			if err := conn.Write(m); err != nil {
				c.wireDown(w, err)
				return
			}
		}
	})
	c.tasks.Go(func() { c.readWire(w) })
}

// readWire serves what the server says until the connection ends.
func (c *Caller) readWire(w *wire) {
	var early []webrtc.ICECandidateInit // candidates that came before the answer
	for {
		raw, err := w.conn.Read()
		if err != nil {
			c.wireDown(w, err)
			return
		}
		var m message
		if json.Unmarshal(raw, &m) != nil {
			continue
		}
		switch m.Type {
		case "answer":
			c.answered(m.SDP, early)
			early = nil
		case "candidate":
			if m.Candidate == nil {
				break
			}
			if c.line.pc.SignalingState() != webrtc.SignalingStateStable { // they belong to the answer to come
				early = append(early, *m.Candidate)
				break
			}
			c.addCandidate(*m.Candidate)
		case "event":
			c.hearEvent(m.Event)
		case "error":
			c.serverError(m)
		case "bye":
			c.lose(failf(CallLost, nil, "parley ended the call: %s.", m.Reason))
		}
	}
}

func (c *Caller) answered(sdp string, early []webrtc.ICECandidateInit) {
	err := c.line.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
	if err != nil {
		c.lose(failf(NotParley, err, "The answer of %s is not usable SDP: %v.", c.o.URL, err))
		return
	}
	for _, candidate := range early {
		c.addCandidate(candidate)
	}
}

func (c *Caller) addCandidate(candidate webrtc.ICECandidateInit) {
	if err := c.line.pc.AddICECandidate(candidate); err != nil {
		c.log.Debug("a candidate was not usable", "error", err)
	}
}

func (c *Caller) serverError(m message) {
	if m.Fatal {
		c.lose(c.refusal(m))
		return
	}
	c.update(func() { c.story.notice("parley refused a message: " + m.Message) })
}

// wireDown notes that a connection has ended. The call lives on as long as its
// media does; before that stood, it is over.
func (c *Caller) wireDown(w *wire, cause error) {
	_ = w.conn.Close()
	c.update(func() {
		w.down = true
		up := c.media == webrtc.PeerConnectionStateConnected
		if c.wire == w && !up && c.lost == nil {
			var known *Error
			if !errors.As(cause, &known) {
				known = failf(CallLost, cause, "%s closed the signaling connection before the call was up.", c.o.URL)
			}
			c.lost = known
		}
		c.checkLost()
	})
}

// send queues a signaling message.
func (c *Caller) send(m []byte) {
	c.mu.Lock()
	w := c.wire
	c.mu.Unlock()
	if w != nil && !w.put(m) {
		c.lose(failf(CallLost, nil, "The call broke: the signaling connection is stuck."))
	}
}

// offer sends a new offer.
func (c *Caller) offer(o *webrtc.OfferOptions) error {
	sdp, err := c.line.pc.CreateOffer(o)
	if err != nil {
		return fmt.Errorf("loadtest: create offer: %w", err)
	}
	// Candidates begin to come with the local description; the offer goes first.
	c.mu.Lock()
	c.offering = true
	c.mu.Unlock()
	if err := c.line.pc.SetLocalDescription(sdp); err != nil {
		return fmt.Errorf("loadtest: set offer: %w", err)
	}
	c.send(encodeMessage(message{Type: "offer", SDP: sdp.SDP}))
	c.mu.Lock()
	held := c.held
	c.held, c.offering = nil, false
	c.mu.Unlock()
	for _, m := range held {
		c.send(m)
	}
	return nil
}

// trickle sends a candidate message, after the offer it belongs to.
func (c *Caller) trickle(m []byte) {
	c.mu.Lock()
	hold := c.offering
	if hold {
		c.held = append(c.held, m)
	}
	c.mu.Unlock()
	if !hold {
		c.send(m)
	}
}

// DropSocket breaks the signaling connection without a word, as a lost network
// does. The media is left alone.
func (c *Caller) DropSocket() {
	c.mu.Lock()
	w := c.wire
	c.mu.Unlock()
	_ = w.conn.Close()
}

// Resume opens a new signaling connection for the same call and restarts ICE.
// It says whether the server still knew the call.
func (c *Caller) Resume(ctx context.Context) (resumed bool, err error) {
	c.mu.Lock()
	old, token := c.wire, c.token
	c.mu.Unlock()
	_ = old.conn.Close()
	conn, joined, err := c.join(ctx, token)
	if err != nil {
		return false, err
	}
	old.finish(nil)
	c.adopt(conn, joined)
	if err := c.offer(&webrtc.OfferOptions{ICERestart: true}); err != nil {
		return false, err
	}
	return joined.Resumed, c.explain(c.await(ctx, func(time.Time) (bool, time.Time) {
		return c.line.pc.SignalingState() == webrtc.SignalingStateStable && c.media == webrtc.PeerConnectionStateConnected, time.Time{}
	}))
}
