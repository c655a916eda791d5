package signaling

import (
	"context"
	"encoding/json"
	"net/http"

	"parley/internal/fault"
)

// heldCandidates is how many candidates of the server wait for the answer to be
// sent; a client cannot use them before. The server has a handful.
const heldCandidates = 32

// maxCandidate is the longest candidate taken from a client, in bytes.
const maxCandidate = 1 << 10

// peer is a call's media peer and what is told by it.
type peer struct {
	Peer
	call     *call
	identity string // of the client's connection
	throttle throttle
	gone     chan struct{} // closed when nobody listens to its events any more

	// Owned by the call's goroutine.
	left     bool
	over     bool    // closed by the client or by a failure of its own; of no more use
	answered *socket // where candidates go; nil while an answer is being made
	held     []json.RawMessage
}

// leave makes the peer's events go nowhere, so that none of them waits. The
// call's goroutine calls it, or the one that made the peer when the call is over.
func (p *peer) leave() {
	if !p.left {
		p.left = true
		close(p.gone)
	}
}

// end closes the peer and waits for it.
func (p *peer) end() {
	if err := p.Close(); err != nil {
		p.call.log.Debug("peer not closed cleanly", "err", err)
	}
}

// post has f run by the call's goroutine.
func (p *peer) post(f func()) {
	select {
	case p.call.mail <- f:
	case <-p.gone:
	case <-p.call.done:
	}
}

// current is post for what matters only while p is the call's peer.
func (p *peer) current(f func()) {
	p.post(func() {
		if p.call.peer == p {
			f()
		}
	})
}

// Message implements PeerEvents. It is called by one goroutine.
func (p *peer) Message(raw []byte) {
	switch p.throttle.judge(now()) {
	case accept:
		p.current(func() { p.call.clientEvent(raw) })
	case complain:
		p.current(func() { p.call.tellThrottled() })
	}
}

// ChannelOpen implements PeerEvents.
func (p *peer) ChannelOpen(open bool) {
	p.current(func() {
		p.call.channelOpen = open
		if open {
			p.call.flush()
		}
	})
}

// State implements PeerEvents. A call with a socket, or that may be resumed,
// outlives its peer; one made over HTTP does not.
func (p *peer) State(state PeerState) {
	p.current(func() {
		c := p.call
		c.log.Debug("peer", "state", state)
		p.over = p.over || state == PeerClosed
		if c.token != "" {
			return
		}
		switch state {
		case PeerConnected:
			c.deadline.Stop()
		case PeerFailed:
			c.stop("lost")
		case PeerClosed:
			c.stop("hang_up")
		}
	})
}

// Candidate implements PeerEvents. Candidates reach the client after the answer.
func (p *peer) Candidate(candidate json.RawMessage) {
	if len(candidate) == 0 {
		candidate = json.RawMessage("null")
	}
	if !json.Valid(candidate) {
		p.call.log.Warn("candidate of the server is not JSON")
		return
	}
	p.post(func() {
		if p.answered != nil {
			p.answered.send(encode(outbound{Type: "candidate", Candidate: candidate}))
		} else if len(p.held) < heldCandidates {
			p.held = append(p.held, candidate)
		}
	})
}

// offerOn answers an offer that came on a socket.
func (c *call) offerOn(s *socket, sdp string) *problem {
	if !c.offers.AllowN(now(), 1) {
		return &problem{code: "rate_limited", message: "Too many offers; send at most 2 a second."}
	}
	_, p := c.answer(c.stopped, sdp, s)
	return p
}

// answer has an offer answered: by the peer it was made to, or by a new one
// that takes the place of the old. Where s is not nil the answer is sent there
// and candidates trickle.
func (c *call) answer(ctx context.Context, sdp string, s *socket) (string, *problem) {
	if p := checkOffer(sdp); p != nil {
		return "", p
	}
	c.offering.Lock()
	defer c.offering.Unlock()
	identity := connectionID(sdp)
	var old *peer
	fresh := true
	if !c.ask(func() {
		if old = c.peer; old != nil && old.identity == identity && !old.over {
			fresh, old.answered, old.held = false, nil, nil
		}
	}) {
		return "", callOver()
	}
	p := old
	if fresh {
		var err error
		if p, err = c.newPeer(identity); err != nil {
			c.log.Error("no peer", "err", err)
			return "", problemOf(err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.server.config.AnswerTimeout)
	defer cancel()
	answer, err := p.Answer(ctx, sdp, s != nil)
	if err != nil {
		c.log.Warn("offer refused", "err", err)
		if fresh {
			c.discard(p)
		} else {
			c.post(func() { p.release(s) }) // what was agreed before still stands
		}
		return "", offerProblem(err)
	}
	if !c.ask(func() { c.install(p, s, answer) }) {
		if fresh {
			c.discard(p)
		}
		return "", callOver()
	}
	if fresh && old != nil {
		old.end()
	}
	return answer, nil
}

// newPeer asks the backend for a peer.
func (c *call) newPeer(identity string) (*peer, error) {
	p := &peer{call: c, identity: identity, throttle: throttle{limiter: c.messages}, gone: make(chan struct{})}
	var err error
	p.Peer, err = c.server.options.Backend.NewPeer(c.ctx, c.talk, p)
	return p, err
}

// discard closes a peer that was never the call's.
func (c *call) discard(p *peer) {
	if !c.ask(p.leave) {
		p.leave()
	}
	p.end()
}

// install makes p the call's peer, and sends the answer and the candidates that
// waited for it.
func (c *call) install(p *peer, s *socket, answer string) {
	if c.peer != p {
		if c.peer != nil {
			c.peer.leave()
		}
		c.peer, c.channelOpen = p, false
	}
	c.stale = false
	if s == nil {
		return
	}
	s.send(encode(outbound{Type: "answer", SDP: answer}))
	p.release(s)
}

// release sends the candidates that waited for an answer, and has those that
// follow sent at once. The call's goroutine calls it.
func (p *peer) release(s *socket) {
	if s == nil {
		return
	}
	p.answered = s
	for _, candidate := range p.held {
		s.send(encode(outbound{Type: "candidate", Candidate: candidate}))
	}
	p.held = nil
}

// answerOnce answers the offer of a call made over HTTP, with all candidates.
func (c *call) answerOnce(ctx context.Context, sdp string) (string, *problem) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.stopped, cancel)()
	return c.answer(ctx, sdp, nil)
}

func callOver() *problem {
	return &problem{status: http.StatusGone, code: "call_over", message: "The call is over."}
}

func offerProblem(err error) *problem {
	switch fault.KindOf(err) {
	case fault.Overloaded:
		return busy()
	case fault.Stalled, fault.Canceled:
		return &problem{status: http.StatusGatewayTimeout, code: "answer_timeout", message: "The offer was not answered in time; try again."}
	}
	return &problem{status: http.StatusBadRequest, code: "invalid_offer", message: "The offer cannot be used: " + cause(err) + "."}
}

// addCandidate hands a candidate of the client to the peer. null and an empty
// candidate mark the end; there is nothing to do about it.
func (c *call) addCandidate(raw json.RawMessage) *problem {
	bad := &problem{code: "invalid_candidate", message: "The candidate is not one of an RTCPeerConnection."}
	if len(raw) == 0 || len(raw) > maxCandidate {
		return bad
	}
	var in *struct {
		Candidate *string `json:"candidate"`
	}
	switch err := json.Unmarshal(raw, &in); {
	case err != nil:
		return bad
	case in == nil || in.Candidate != nil && *in.Candidate == "":
		return nil
	case in.Candidate == nil:
		return bad
	}
	var p *peer
	if !c.ask(func() { p = c.peer }) {
		return callOver()
	}
	if p == nil {
		return &problem{code: "no_offer", message: "Send an offer before its candidates."}
	}
	if err := p.AddCandidate(raw); err != nil {
		c.log.Debug("candidate refused", "err", err)
		return bad
	}
	return nil
}
