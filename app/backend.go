package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"parley/audio"
	"parley/conversation"
	"parley/internal/fault"
	"parley/media"
	"parley/signaling"
)

// backend makes what signaling asks for: a conversation per call, and a media
// peer per offer, joined by audio.
type backend struct {
	session   conversation.Session
	engines   *engines
	detectors func() conversation.Detector
	edge      *media.Edge
	consume   []func(conversation.Envelope) // never block
	traffic   *traffic
	log       *slog.Logger
}

// talk is a running conversation.
type talk struct {
	conversation *conversation.Conversation
	once         sync.Once
}

// NewTalk implements signaling.Backend.
func (b *backend) NewTalk(ctx context.Context, o signaling.TalkOptions) (signaling.Talk, error) {
	session, err := o.Session.Apply(b.session)
	if err != nil {
		return nil, fault.New(fault.BadInput, "app: start conversation", err)
	}
	c := conversation.New(
		conversation.Options{Call: o.Call, Client: o.Client, Session: session},
		conversation.Parts{
			Detector:    b.detectors(),
			Transcriber: b.engines.stt,
			Model:       b.engines.llm,
			Voice:       b.engines.tts,
			Log:         b.log.With("call", o.Call),
			Events: func(e conversation.Envelope) {
				o.Sink(e)
				for _, consume := range b.consume {
					consume(e)
				}
			},
		})
	go c.Run(context.WithoutCancel(ctx)) // ends by Close, which waits for it
	return &talk{conversation: c}, nil
}

// Send implements signaling.Talk.
func (t *talk) Send(in conversation.Input) bool { return t.conversation.Send(in) }

// Close implements signaling.Talk.
func (t *talk) Close(cause string) {
	t.once.Do(func() { t.conversation.HangUp(cause) })
	<-t.conversation.Done()
}

// NewPeer implements signaling.Backend.
func (b *backend) NewPeer(_ context.Context, of signaling.Talk, events signaling.PeerEvents) (signaling.Peer, error) {
	t, ok := of.(*talk)
	if !ok {
		return nil, fmt.Errorf("app: new peer: %T is no conversation of this server", of)
	}
	p, err := b.edge.NewPeer(leg{t.conversation, events})
	if err != nil {
		return nil, fmt.Errorf("app: new peer: %w", err)
	}
	return &peer{Peer: p, conversation: t.conversation, closed: b.traffic.add}, nil
}

// leg carries what comes in on a peer to where it belongs.
type leg struct {
	conversation *conversation.Conversation
	events       signaling.PeerEvents
}

func (l leg) Audio(f audio.Frame)   { l.conversation.Hear(f) }
func (l leg) Message(raw []byte)    { l.events.Message(bytes.Clone(raw)) } // lent here, kept there
func (l leg) ChannelOpen(open bool) { l.events.ChannelOpen(open) }
func (l leg) State(s media.State)   { l.events.State(signaling.PeerState(s)) }

// Candidate implements media.Handler; nil says that there are no more.
func (l leg) Candidate(c *media.Candidate) {
	raw, err := json.Marshal(c)
	if err != nil {
		return // a struct of strings: it cannot happen
	}
	l.events.Candidate(raw)
}

// peer is a media peer as signaling wants it.
type peer struct {
	*media.Peer
	conversation *conversation.Conversation
	closed       func(media.Stats)
	once         sync.Once
}

// Answer implements signaling.Peer. The conversation speaks to this peer from
// the first offer on that could be answered; until then to the one before.
func (p *peer) Answer(ctx context.Context, offer string, trickle bool) (string, error) {
	answer, err := p.Peer.Answer(ctx, offer, trickle)
	if err == nil {
		p.conversation.UseSpeaker(p.Speaker())
	}
	return answer, err
}

// AddCandidate implements signaling.Peer.
func (p *peer) AddCandidate(raw json.RawMessage) error {
	var c *media.Candidate
	if err := json.Unmarshal(raw, &c); err != nil {
		return fault.New(fault.BadInput, "app: read candidate", err)
	}
	if c == nil || c.Candidate == "" { // the client has no more
		return nil
	}
	return p.Peer.AddCandidate(*c)
}

// Close implements signaling.Peer.
func (p *peer) Close() error {
	p.Peer.Close()
	p.once.Do(func() { p.closed(p.Peer.Stats()) })
	return nil
}
