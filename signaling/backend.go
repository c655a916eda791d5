package signaling

import (
	"context"
	"encoding/json"

	"parley/conversation"
)

// Backend makes what a call consists of. Its methods are called from several
// goroutines. An error of the kind fault.Overloaded tells the client to come
// back later; one of the kind fault.BadInput is the client's doing.
type Backend interface {
	// NewTalk starts the conversation of a call. ctx lives as long as the call.
	NewTalk(ctx context.Context, o TalkOptions) (Talk, error)
	// NewPeer makes the media peer of talk, for an offer that follows. Where talk
	// has a peer already, the new one takes its place; the old one is closed
	// after the new one has answered. ctx lives as long as the call.
	NewPeer(ctx context.Context, talk Talk, events PeerEvents) (Peer, error)
}

// TalkOptions describe a conversation to start.
type TalkOptions struct {
	Call    string // the call's id
	Client  string // what the client calls itself; may be empty
	Session conversation.SessionPatch
	// Sink takes the conversation's events, in order. It never blocks and may be
	// called before NewTalk returns, but not after Talk.Close did.
	Sink func(conversation.Envelope)
}

// Talk is the conversation of a call.
type Talk interface {
	// Send hands in what the client asks for, without waiting; false where the
	// conversation cannot take it now or is over.
	Send(conversation.Input) bool
	// Close ends the conversation and waits for all of it. It is idempotent.
	Close(cause string)
}

// PeerState is the state of a peer connection, in the words of WebRTC.
type PeerState string

// The states of a peer connection.
const (
	PeerConnecting   PeerState = "connecting"
	PeerConnected    PeerState = "connected"
	PeerDisconnected PeerState = "disconnected"
	PeerFailed       PeerState = "failed"
	PeerClosed       PeerState = "closed"
)

// PeerEvents is told what happens on a peer. Its methods may wait for the call
// to take what they bring, and return at once when the peer is being closed.
type PeerEvents interface {
	Message(raw []byte) // a client event came on the data channel; raw is the receiver's
	ChannelOpen(open bool)
	State(state PeerState)
	Candidate(candidate json.RawMessage) // an RTCIceCandidateInit of the server; null or empty at the end
}

// Peer is the media side of a call. Its methods may be called from several goroutines.
type Peer interface {
	// Answer takes an offer and returns the answer: at once when trickle is set,
	// candidates following as events, otherwise with all candidates in it. A
	// second offer restarts ICE.
	Answer(ctx context.Context, offer string, trickle bool) (string, error)
	// AddCandidate takes an RTCIceCandidateInit of the client.
	AddCandidate(candidate json.RawMessage) error
	// SendEvent sends a text message on the data channel, without waiting.
	SendEvent(raw []byte) error
	// Close ends the peer and waits for its goroutines. It is idempotent.
	Close() error
}
