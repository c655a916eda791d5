package signaling

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/websocket"

	"parley/conversation"
	"parley/signaling/realtime"
)

// serveSocket is the life of one signaling socket; the handler's goroutine is
// its reader.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		s.refuse(w, shuttingDown())
		return
	}
	defer s.work.Done()
	ip := s.clientIP(r)
	p := s.checkOrigin(r)
	shown := shownKey(r)
	if p == nil && shown != "" {
		p = s.checkKey(r)
	}
	if p == nil && !s.clients.join(ip, now()) {
		p = tooManyJoins()
	}
	if p != nil {
		s.refuse(w, p)
		return
	}
	if !s.clients.open(ip, now()) {
		s.refuse(w, &problem{status: http.StatusTooManyRequests, code: "too_many_sockets",
			message: "There are too many connections from this address; close one first.", retry: 30})
		return
	}
	defer s.clients.close(ip)
	ws, err := s.upgrade.Upgrade(w, r, selectProtocol(r))
	if err != nil {
		s.log.Debug("upgrade failed", "err", err) // the client was told by Upgrade
		return
	}
	sock := newSocket(ws, &s.config)
	if !s.addSocket(sock) {
		sock.sayShutdown()
	}
	defer s.removeSocket(sock)
	go sock.writeLoop()
	s.talkOn(sock, shown != "")
	sock.end()
}

func (s *Server) refuse(w http.ResponseWriter, p *problem) {
	s.refused.Add(1)
	writeProblem(w, p)
}

func tooManyJoins() *problem {
	return &problem{status: http.StatusTooManyRequests, code: "rate_limited", message: "Too many calls were begun from this address; wait a minute.", retry: 60}
}

// selectProtocol picks the subprotocol: browsers close the connection when they
// offered some and none was picked.
func selectProtocol(r *http.Request) http.Header {
	offered := protocols(r)
	pick := ""
	if slices.Contains(offered, "realtime") {
		pick = "realtime"
	} else if i := slices.IndexFunc(offered, func(p string) bool { return strings.HasPrefix(p, keyProtocol) }); i >= 0 {
		pick = offered[i]
	}
	if pick == "" {
		return nil
	}
	return http.Header{"Sec-Websocket-Protocol": {pick}}
}

func (s *Server) addSocket(sock *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets[sock] = struct{}{}
	return !s.closing
}

func (s *Server) removeSocket(sock *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, sock)
}

// talkOn reads the socket to its end: a join, then whatever comes.
func (s *Server) talkOn(sock *socket, keyShown bool) {
	_ = sock.ws.SetReadDeadline(now().Add(s.config.JoinTimeout))
	c := s.join(sock, keyShown)
	if c != nil {
		sock.alive()
		s.readOn(sock, c)
		c.post(func() { c.detach(sock) })
	}
	// Let the farewell be read; see sayFarewell.
	for sock.finished.Load() {
		if _, err := sock.read(); err != nil && !errors.Is(err, errTooBig) && !errors.Is(err, errBinary) {
			return
		}
	}
}

// join reads the first message and attaches the socket to a call. It returns
// nil where the socket is at its end.
func (s *Server) join(sock *socket, keyShown bool) *call {
	raw, err := sock.read()
	if err != nil {
		s.endUnread(sock, err)
		return nil
	}
	m, p := parseMessage(raw)
	switch {
	case p != nil:
	case m.Type != "join":
		p = &problem{code: "join_first", message: "The first message must be a join."}
	case s.config.Key != "" && !keyShown && !s.keyOK(m.Key):
		p = badKey(m.Key != "")
	}
	var patch conversation.SessionPatch
	if p == nil && len(m.Session) > 0 {
		if patch, err = realtime.DecodeSession(m.Session); err != nil {
			p = sessionProblem(err)
		}
	}
	if p != nil {
		s.turnAway(sock, p, websocket.ClosePolicyViolation)
		return nil
	}
	sock.events = m.Events
	sock.joined.Store(true)
	if m.Resume != "" {
		if c := s.resume(sock, m.Resume); c != nil {
			if len(m.Session) > 0 {
				c.talk.Send(conversation.Configure{Patch: patch})
			}
			return c
		}
		sock.send(errorMessage(&problem{code: "resume_expired", message: "The call is over and cannot be resumed; a new one begins."}, false))
	}
	c, p := s.open(cut(m.Client, 64), patch)
	if p != nil {
		s.turnAway(sock, p, websocket.CloseTryAgainLater)
		return nil
	}
	if !c.ask(func() { c.attach(sock) }) {
		return nil
	}
	return c
}

// resume attaches the socket to the call that the token belongs to, or returns nil.
func (s *Server) resume(sock *socket, token string) *call {
	id, _, ok := strings.Cut(token, ".")
	c := s.find(id)
	if !ok || c == nil {
		return nil
	}
	taken := false
	if !c.ask(func() { taken = c.reattach(sock, token) }) || !taken {
		return nil
	}
	s.resumed.Add(1)
	return c
}

// turnAway ends a socket with a fatal error.
func (s *Server) turnAway(sock *socket, p *problem, code int) {
	s.refused.Add(1)
	sock.finish(farewell{code: code, reason: p.code, messages: [][]byte{errorMessage(p, true)}})
}

// endUnread ends a socket from which nothing more can be read in good order.
// Where the connection itself is gone there is nobody to tell.
func (s *Server) endUnread(sock *socket, err error) {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errTooBig):
		s.turnAway(sock, &problem{code: "message_too_big", message: "The message is larger than 64 KB."}, websocket.CloseMessageTooBig)
	case errors.Is(err, errBinary):
		s.turnAway(sock, &problem{code: "not_text", message: "Messages must be text."}, websocket.CloseUnsupportedData)
	case errors.As(err, &timeout) && timeout.Timeout():
		s.refused.Add(1)
		sock.finish(farewell{code: websocket.ClosePolicyViolation, reason: "timeout",
			messages: [][]byte{errorMessage(&problem{code: "timeout", message: "Nothing was heard in time."}, true)}})
	}
}

// readOn handles messages until the socket ends.
func (s *Server) readOn(sock *socket, c *call) {
	throttle := throttle{limiter: c.messages}
	confirmed := false
	for {
		raw, err := sock.read()
		if err != nil {
			if !sock.finished.Load() {
				s.endUnread(sock, err)
			}
			return
		}
		if sock.finished.Load() {
			return
		}
		if !confirmed {
			confirmed = true
			c.post(c.confirm)
		}
		sock.alive()
		switch throttle.judge(now()) {
		case accept:
			s.dispatch(sock, c, raw)
		case complain:
			sock.send(errorMessage(tooManyMessages(), false))
		case cutOff:
			s.turnAway(sock, tooManyMessages(), websocket.ClosePolicyViolation)
			return
		}
	}
}

// dispatch carries out one message after the join.
func (s *Server) dispatch(sock *socket, c *call, raw []byte) {
	m, p := parseMessage(raw)
	if p != nil {
		sock.send(errorMessage(p, false))
		return
	}
	switch m.Type {
	case "offer":
		p = c.offerOn(sock, m.SDP)
	case "candidate":
		p = c.addCandidate(m.Candidate)
	case "event":
		if len(m.Event) == 0 {
			p = &problem{code: "missing_event", message: "The message holds no event."}
			break
		}
		c.post(func() { c.clientEvent(m.Event) })
	case "ping":
		if len(m.T) > 32 {
			m.T = json.RawMessage("null")
		}
		sock.send(encode(outbound{Type: "pong", T: m.T}))
	case "bye":
		c.stop("hang_up")
	case "join":
		p = &problem{code: "already_joined", message: "This socket has joined a call already."}
	default:
		p = &problem{code: "unknown_type", message: "There is no message of the type " + cut(m.Type, 40) + "."}
	}
	if p != nil {
		sock.send(errorMessage(p, false))
	}
}

func sessionProblem(err error) *problem {
	p := &problem{status: http.StatusBadRequest, code: "invalid_session", message: "The session cannot be used."}
	var e *realtime.Error
	if errors.As(err, &e) {
		p.message = e.Message
	}
	return p
}

// cut shortens a client's string to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
