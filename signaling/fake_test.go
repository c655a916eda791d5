package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"parley/conversation"
	"parley/internal/fault"
)

// fakeBackend makes conversations and peers that do what a test says.
type fakeBackend struct {
	talks chan *fakeTalk
	peers chan *fakePeer

	failTalk, failPeer, failAnswer error
	hold                           chan struct{} // where set, Answer waits for it
	open                           atomic.Int64  // talks and peers not yet closed
}

func newFakeBackend() *fakeBackend {
	return &fakeBackend{talks: make(chan *fakeTalk, 256), peers: make(chan *fakePeer, 256)}
}

func (b *fakeBackend) NewTalk(_ context.Context, o TalkOptions) (Talk, error) {
	if b.failTalk != nil {
		return nil, b.failTalk
	}
	t := &fakeTalk{backend: b, options: o, inputs: make(chan conversation.Input, 64)}
	b.open.Add(1)
	t.emit(conversation.CallStarted{Session: defaultSession(), Client: o.Client})
	b.talks <- t
	return t, nil
}

func (b *fakeBackend) NewPeer(_ context.Context, talk Talk, events PeerEvents) (Peer, error) {
	if b.failPeer != nil {
		return nil, b.failPeer
	}
	p := &fakePeer{backend: b, talk: talk.(*fakeTalk), events: events,
		sent: make(chan string, 1024), candidates: make(chan string, 64), closed: make(chan struct{})}
	b.open.Add(1)
	b.peers <- p
	return p, nil
}

func defaultSession() conversation.Session {
	return conversation.Session{Mode: conversation.HandsFree, Threshold: 0.5, AutoReply: true, Interrupt: true, Speak: true}
}

// fakeTalk records what is asked of it and emits what it is told to.
type fakeTalk struct {
	backend *fakeBackend
	options TalkOptions
	inputs  chan conversation.Input
	refuse  atomic.Bool
	hold    atomic.Pointer[chan struct{}] // where set, Close waits for it

	mu    sync.Mutex
	seq   uint64
	cause string
	over  bool
}

func (t *fakeTalk) Send(in conversation.Input) bool {
	if t.refuse.Load() {
		return false
	}
	select {
	case t.inputs <- in:
		return true
	default:
		return false
	}
}

func (t *fakeTalk) emit(events ...conversation.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ev := range events {
		if t.over {
			return
		}
		t.seq++
		t.options.Sink(conversation.Envelope{Call: t.options.Call, Seq: t.seq, Event: ev})
	}
}

func (t *fakeTalk) Close(cause string) {
	if hold := t.hold.Load(); hold != nil {
		<-*hold
	}
	t.emit(conversation.CallEnded{Cause: cause})
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.over, t.cause = true, cause
		t.backend.open.Add(-1)
	}
}

func (t *fakeTalk) ended() (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cause, t.over
}

// fakePeer answers each offer with a number, and emits one candidate before it.
type fakePeer struct {
	backend    *fakeBackend
	talk       *fakeTalk
	events     PeerEvents
	offers     atomic.Int64
	sent       chan string
	candidates chan string
	failSend   atomic.Bool
	once       sync.Once
	closed     chan struct{}
}

func (p *fakePeer) Answer(ctx context.Context, offer string, trickle bool) (string, error) {
	if p.backend.hold != nil {
		select {
		case <-p.backend.hold:
		case <-ctx.Done():
			return "", fmt.Errorf("fake: answer: %w", ctx.Err())
		}
	}
	if p.backend.failAnswer != nil {
		return "", p.backend.failAnswer
	}
	n := p.offers.Add(1)
	p.events.Candidate(json.RawMessage(fmt.Sprintf(`{"candidate":"candidate:%d","sdpMid":"0","sdpMLineIndex":0}`, n)))
	return fmt.Sprintf("v=0\r\nanswer %d trickle %t\r\n", n, trickle), nil
}

func (p *fakePeer) AddCandidate(raw json.RawMessage) error {
	if len(p.candidates) == cap(p.candidates) {
		return errors.New("fake: too many candidates")
	}
	p.candidates <- string(raw)
	return nil
}

func (p *fakePeer) SendEvent(raw []byte) error {
	if p.failSend.Load() {
		return fault.New(fault.Overloaded, "fake: send", nil)
	}
	p.sent <- string(raw)
	return nil
}

func (p *fakePeer) Close() error {
	p.once.Do(func() {
		close(p.closed)
		p.backend.open.Add(-1)
	})
	return nil
}
