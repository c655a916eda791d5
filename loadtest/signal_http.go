package loadtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// HTTPOffer is the Connector of clients without a socket: the offer is posted
// to /v1/realtime/calls as application/sdp, the answer comes back complete, and
// hanging up is a DELETE. Nothing is trickled: the far side learns this peer's
// address from its checks.
func HTTPOffer(_ context.Context, o Options) (SignalingConn, error) {
	at, err := parseAddress(o.URL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &offerConn{
		at: at, key: o.Key, ctx: ctx, cancel: cancel, in: make(chan []byte, 2),
		client: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{
			DialContext: o.NetDial, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: o.Insecure},
		}},
	}, nil
}

// offerConn speaks the socket's messages to the Caller and HTTP to the server.
type offerConn struct {
	at     address
	key    string
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	in     chan []byte // what Read returns: joined, then answer

	mu   sync.Mutex
	call string // the call's own address, once there is one
}

func (c *offerConn) Read() ([]byte, error) {
	select {
	case m := <-c.in:
		return m, nil
	case <-c.ctx.Done():
		return nil, io.EOF
	}
}

func (c *offerConn) Write(raw []byte) error {
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("loadtest: post offer: %w", err)
	}
	switch m.Type {
	case "join":
		return c.give(message{Type: "joined"})
	case "offer":
		return c.offer(m.SDP)
	case "bye":
		return c.hangup()
	}
	return nil // candidates and events have no place to go
}

func (c *offerConn) give(m message) error {
	select {
	case c.in <- encodeMessage(m):
		return nil
	default:
		return errors.New("loadtest: post offer: a second offer needs a socket")
	}
}

func (c *offerConn) offer(sdp string) error {
	resp, err := c.do(http.MethodPost, c.at.offers, sdp)
	if err != nil {
		return dialError(c.at, c.key, nil, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSignal))
	if err != nil {
		return dialError(c.at, c.key, nil, err)
	}
	if resp.StatusCode != http.StatusCreated {
		return statusError(c.at, c.key, resp.StatusCode, fmt.Errorf("loadtest: post offer: %s: %.200s", resp.Status, body))
	}
	if to, err := url.Parse(resp.Header.Get("Location")); err == nil && resp.Request != nil {
		c.mu.Lock()
		c.call = resp.Request.URL.ResolveReference(to).String()
		c.mu.Unlock()
	}
	return c.give(message{Type: "answer", SDP: string(body)})
}

func (c *offerConn) hangup() error {
	c.mu.Lock()
	call := c.call
	c.mu.Unlock()
	if call == "" {
		return nil
	}
	resp, err := c.do(http.MethodDelete, call, "")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (c *offerConn) do(method, to, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(c.ctx, method, to, bytes.NewBufferString(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/sdp")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return c.client.Do(req)
}

func (c *offerConn) Close() error {
	c.cancel()
	c.client.CloseIdleConnections()
	return nil
}
