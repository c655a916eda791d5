package loadtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"
)

// SignalingConn carries the JSON messages of a call's signaling, one at a time.
// Read and Write are each called by one goroutine; Close frees both.
type SignalingConn interface {
	Read() ([]byte, error)
	Write(message []byte) error
	Close() error
}

// Connector opens the signaling of a call.
type Connector func(ctx context.Context, o Options) (SignalingConn, error)

const (
	maxSignal    = 1 << 20 // bytes of one message we accept
	writeTimeout = 5 * time.Second
)

// message has the fields of all signaling messages in both directions.
type message struct {
	V          int                      `json:"v"`
	Type       string                   `json:"type"`
	Key        string                   `json:"key,omitempty"`
	Client     string                   `json:"client,omitempty"`
	Session    json.RawMessage          `json:"session,omitempty"`
	Call       string                   `json:"call,omitempty"`
	Resume     string                   `json:"resume,omitempty"`
	Resumed    bool                     `json:"resumed,omitempty"`
	ICEServers []iceServer              `json:"ice_servers,omitempty"`
	SDP        string                   `json:"sdp,omitempty"`
	Candidate  *webrtc.ICECandidateInit `json:"candidate,omitempty"`
	Event      json.RawMessage          `json:"event,omitempty"`
	Code       string                   `json:"code,omitempty"`
	Message    string                   `json:"message,omitempty"`
	Fatal      bool                     `json:"fatal,omitempty"`
	Reason     string                   `json:"reason,omitempty"`
}

type iceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// endOfCandidates is the one message whose candidate is an explicit null.
const endOfCandidates = `{"v":1,"type":"candidate","candidate":null}`

func encodeMessage(m message) []byte {
	m.V = 1
	data, err := json.Marshal(m)
	if err != nil {
		panic("loadtest: marshal message: " + err.Error()) // strings and valid raw JSON only
	}
	return data
}

// WebSocket is the Connector a browser would use: GET /ws.
func WebSocket(ctx context.Context, o Options) (SignalingConn, error) {
	at, err := parseAddress(o.URL)
	if err != nil {
		return nil, err
	}
	// The dialer bounds the handshake by time only; cancelling has to end it, too.
	released := func() bool { return true }
	dial := o.NetDial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	dialer := websocket.Dialer{
		NetDialContext: func(dialing context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(dialing, network, addr)
			if err == nil {
				released = context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		},
		HandshakeTimeout: 10 * time.Second,
		TLSClientConfig:  &tls.Config{InsecureSkipVerify: o.Insecure},
	}
	header := http.Header{}
	if o.Key != "" {
		header.Set("Authorization", "Bearer "+o.Key)
	}
	ws, resp, err := dialer.DialContext(ctx, at.socket, header)
	if !released() && err == nil {
		err = errors.Join(ctx.Err(), ws.Close())
	}
	switch {
	case err == nil:
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, ctx.Err()
	default:
		return nil, dialError(at, o.Key, resp, err)
	}
	ws.SetReadLimit(maxSignal)
	return &socket{ws: ws}, nil
}

type socket struct{ ws *websocket.Conn }

func (s *socket) Read() ([]byte, error) {
	_, data, err := s.ws.ReadMessage()
	return data, err
}

func (s *socket) Write(m []byte) error {
	if err := s.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return s.ws.WriteMessage(websocket.TextMessage, m)
}

func (s *socket) Close() error { return s.ws.Close() }

// dialError puts into words why no signaling came about.
func dialError(at address, key string, resp *http.Response, err error) error {
	if resp != nil {
		return statusError(at, key, resp.StatusCode, err)
	}
	var dns *net.DNSError
	var untrusted x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns):
		return failf(Unreachable, err, "There is no machine called %s.", dns.Name)
	case errors.As(err, &untrusted), errors.As(err, &wrongName), errors.As(err, &invalid):
		return failf(Unreachable, err, "The certificate at %s is not trusted here. If it is your own, use --insecure.", at.page)
	case errors.As(err, &record):
		return failf(NotParley, err, "%s does not speak TLS: use http:// instead of https://.", at.page)
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return failf(Unreachable, err, "%s does not answer: no connection within the time allowed.", at.page)
	case isNetwork(err):
		return failf(Unreachable, err, "Nothing answers at %s (%v). Is parley running there? Start it with: parley serve", at.page, root(err))
	}
	return failf(NotParley, err, "Something answers at %s, but it is not parley (%v).", at.page, root(err))
}

// statusError explains an HTTP status that is not the one asked for.
func statusError(at address, key string, status int, err error) error {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return unauthorized(key, err)
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return failf(Refused, err, "parley at %s has no room for another call now (HTTP %d).", at.page, status)
	}
	return failf(NotParley, err, "Something answers at %s, but it is not parley: %s gave HTTP %d.", at.page, at.socket, status)
}

// unauthorized says what to do about a key that is missing or wrong. It does not
// say what it was.
func unauthorized(key string, cause error) error {
	if key == "" {
		return failf(Unauthorized, cause, "This server asks for a key; give it with --key or PARLEY_KEY.")
	}
	return failf(Unauthorized, cause, "The key is wrong; give the right one with --key or PARLEY_KEY.")
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func isNetwork(err error) bool {
	var e *net.OpError
	return errors.As(err, &e)
}

// root is the innermost cause, which is what a person can use.
func root(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
