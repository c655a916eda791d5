package signaling

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"parley/conversation"
	"parley/signaling/realtime"
)

const (
	// eventQueue is how many conversation events may wait for a call's
	// goroutine. Overflow drops the newest, counts, and makes the client resume.
	eventQueue = 512
	// mailQueue is how many requests may wait for it; those who ask wait.
	mailQueue = 64
	// maxPending is how many wire events wait for the first transport to open;
	// beyond it the oldest go, and are counted.
	maxPending = 256
)

// call is one call: a conversation, at most one media peer, at most one socket.
// Its goroutine, run, owns the fields marked so.
type call struct {
	id       string
	server   *Server
	log      *slog.Logger
	begun    time.Time
	ctx      context.Context // of the conversation and its peers
	cancel   context.CancelFunc
	talk     Talk
	messages *rate.Limiter
	offers   *rate.Limiter
	offering sync.Mutex // one offer at a time

	mail    chan func()
	events  chan conversation.Envelope
	missed  atomic.Int64 // events dropped and not yet dealt with
	ending  chan string  // the reason to end; holds one
	stopped context.Context
	halt    context.CancelFunc // cancels stopped when the call begins to end
	done    chan struct{}      // closed when it has ended

	// Owned by run.
	encoder     *realtime.Encoder
	socket      *socket
	peer        *peer
	channelOpen bool
	stale       bool // resumed, and the channel not known to reach the new client
	reached     bool // a transport was open once
	pending     [][]byte
	bye         bool // parley.bye was sent
	token       string
	oldToken    string // still good until the client has shown that it got token
	deadline    *time.Timer
	overdue     string // why the call ends at deadline
}

func newCall(s *Server) *call {
	c := &call{
		id: newID(), server: s, begun: now(),
		messages: rate.NewLimiter(messageRate, messageBurst), offers: rate.NewLimiter(offerRate, offerBurst),
		mail: make(chan func(), mailQueue), events: make(chan conversation.Envelope, eventQueue),
		ending: make(chan string, 1), done: make(chan struct{}),
		overdue: "lost",
	}
	c.log = s.log.With("call", c.id)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.stopped, c.halt = context.WithCancel(c.ctx)
	c.encoder = realtime.NewEncoder(c.id, s.options.Names)
	// Somebody must attach or connect in time.
	c.deadline = time.NewTimer(s.config.ConnectTimeout)
	return c
}

// newID returns 96 random bits in characters that are safe in an id and a path.
func newID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// newToken returns a resume token: the call's id and 256 random bits.
func newToken(id string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return id + "." + base64.RawURLEncoding.EncodeToString(b[:])
}

func sameToken(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// sink takes the conversation's events; it never blocks.
func (c *call) sink(env conversation.Envelope) {
	select {
	case c.events <- env:
	default:
		c.missed.Add(1)
		c.server.dropped.Add(1)
	}
}

// stop ends the call for a reason; the first one stands. It does not wait.
func (c *call) stop(reason string) {
	select {
	case c.ending <- reason:
	default:
	}
}

// post has f run by the call's goroutine; f is dropped where the call is over.
func (c *call) post(f func()) {
	select {
	case c.mail <- f:
	case <-c.done:
	}
}

// ask has f run by the call's goroutine and waits for it. It returns false
// where the call ended before.
func (c *call) ask(f func()) bool {
	ran := make(chan struct{})
	c.post(func() { f(); close(ran) })
	select {
	case <-ran:
		return true
	case <-c.done:
		select {
		case <-ran: // it ended right after
			return true
		default:
			return false
		}
	}
}

func (c *call) run() {
	c.log.Info("call begun")
	for {
		select {
		case f := <-c.mail:
			f()
		case env := <-c.events:
			c.publish(env)
		case <-c.deadline.C:
			c.stop(c.overdue)
		case reason := <-c.ending:
			c.finish(reason)
			return
		}
		if n := c.missed.Swap(0); n > 0 {
			c.log.Warn("events lost to a full queue", "count", n)
			c.dropSocket()
		}
	}
}

// finish ends everything the call consists of and waits for it.
func (c *call) finish(reason string) {
	c.halt()
	c.deadline.Stop()
	if c.peer != nil {
		c.peer.leave()
	}
	c.talk.Close(reason)
	for len(c.events) > 0 {
		c.publish(<-c.events)
	}
	if !c.bye {
		c.send(c.encoder.Encode(conversation.Envelope{Event: conversation.CallEnded{Cause: reason}}))
	}
	if c.socket != nil {
		code := websocket.CloseNormalClosure
		if reason == "shutdown" {
			code = websocket.CloseGoingAway
		}
		c.socket.finish(farewell{code: code, reason: reason, messages: [][]byte{byeMessage(reason)}})
	}
	if c.peer != nil {
		c.peer.end()
	}
	c.cancel()
	c.server.leave(c) // first: whoever waited for the end must not find the call again
	close(c.done)
	c.log.Info("call ended", "cause", reason, "lasted_s", now().Sub(c.begun).Round(time.Millisecond).Seconds())
	c.server.work.Done()
}

// publish tells the client about a conversation event.
func (c *call) publish(env conversation.Envelope) {
	c.send(c.encoder.Encode(env))
	if ended, ok := env.Event.(conversation.CallEnded); ok {
		c.bye = true
		c.stop(ended.Cause)
	}
}

// send brings wire events to the client by the way that is open. With none, the
// first are kept; later ones are not needed: who resumes gets the history.
func (c *call) send(events [][]byte) {
	switch {
	case len(events) == 0:
	case c.channelOpen && (c.socket == nil || c.socket.events != "socket" && !c.stale):
		for _, ev := range events {
			if err := c.peer.SendEvent(ev); err != nil {
				c.server.undelivered.Add(1)
				c.log.Debug("event not sent", "err", err)
			}
		}
	case c.socket != nil:
		c.socket.send(eventMessages(events)...)
	case c.reached:
		c.server.undelivered.Add(int64(len(events)))
	default:
		c.pending = append(c.pending, events...)
		if over := len(c.pending) - maxPending; over > 0 {
			c.pending = append([][]byte(nil), c.pending[over:]...)
			c.server.undelivered.Add(int64(over))
		}
	}
}

// flush sends what waited for the first transport.
func (c *call) flush() {
	c.reached = true
	waiting := c.pending
	c.pending = nil
	c.send(waiting)
}

// attach gives a new call its socket.
func (c *call) attach(s *socket) {
	c.deadline.Stop()
	c.socket = s
	c.token = newToken(c.id)
	s.send(c.joined(false))
	c.flush()
}

// reattach gives the call a new socket where the token is right: the client
// gets a new token and the history, and the socket before is closed.
func (c *call) reattach(s *socket, token string) bool {
	// Both are compared always, so that the time taken does not tell them apart.
	current, old := sameToken(token, c.token), sameToken(token, c.oldToken)
	if !(current && c.token != "" || old && c.oldToken != "") {
		return false
	}
	if c.socket != nil {
		c.socket.finish(farewell{code: websocket.CloseNormalClosure, reason: "replaced", messages: [][]byte{byeMessage("replaced")}})
	}
	c.deadline.Stop()
	c.socket, c.stale, c.reached, c.pending = s, true, true, nil
	c.token, c.oldToken = newToken(c.id), token
	s.send(c.joined(true))
	s.send(eventMessages(c.encoder.Replay())...)
	c.log.Info("call resumed")
	return true
}

func (c *call) joined(resumed bool) []byte {
	servers := c.server.iceServers()
	return encode(outbound{
		Type: "joined", Call: c.id, Resume: c.token, Resumed: &resumed,
		ResumeWindow: c.server.config.ResumeWindow.Milliseconds(), ICEServers: &servers,
	})
}

// confirm notes that the client has its new token.
func (c *call) confirm() { c.oldToken = "" }

// detach notes that a socket is gone and opens the resume window.
func (c *call) detach(s *socket) {
	if c.socket != s {
		return // another took its place
	}
	c.socket = nil
	c.deadline.Reset(c.server.config.ResumeWindow)
	c.log.Info("socket lost")
}

// dropSocket cuts off a client that has missed events, so that it resumes.
func (c *call) dropSocket() {
	if c.socket != nil {
		c.socket.fail()
	}
}

// tellThrottled tells a client that its data channel says too much.
func (c *call) tellThrottled() {
	p := tooManyMessages()
	c.send(c.encoder.Error(&realtime.Error{Type: "rate_limit_error", Code: p.code, Message: p.message}))
}

// clientEvent carries out a realtime client event.
func (c *call) clientEvent(raw []byte) {
	cmd, err := realtime.Decode(raw)
	var bad *realtime.Error
	if errors.As(err, &bad) {
		c.send(c.encoder.Error(bad))
		return
	}
	if cmd.Retrieve != "" {
		c.send(c.encoder.Retrieve(cmd.Retrieve, cmd.EventID))
		return
	}
	if cmd.Type == "response.cancel" && cmd.Response != "" && cmd.Response != c.encoder.ActiveResponse() {
		c.send(c.encoder.Error(&realtime.Error{Code: "response_cancel_not_active", Param: "response_id",
			Message: "That response is not active; there is nothing to cancel.", EventID: cmd.EventID}))
		return
	}
	for _, in := range cmd.Inputs {
		if !c.talk.Send(in) {
			c.send(c.encoder.Error(&realtime.Error{Type: "server_error", Code: "overloaded",
				Message: "The conversation cannot take this now; try again.", EventID: cmd.EventID}))
			return
		}
		if _, ok := in.(conversation.ClearInput); ok {
			c.send(c.encoder.Cleared())
		}
	}
}
