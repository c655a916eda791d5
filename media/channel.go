package media

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"
	"golang.org/x/time/rate"

	"parley/internal/fault"
)

// EventsLabel is the label of the data channel that carries events; callers
// create it, and any other is closed.
const EventsLabel = "oai-events"

// ErrNoChannel says that the caller has no data channel open.
var ErrNoChannel = errors.New("media: the data channel is not open")

// Bounds of the data channel.
const (
	messageRate  = 50      // a second, from the caller; more are dropped
	messageBurst = 100     //
	maxBacklog   = 1 << 20 // bytes to the caller that it has not acknowledged
)

// eventChannel is a peer's data channel, while it has one.
type eventChannel struct {
	telling sync.Mutex // held while the handler hears that it opened or closed

	mu     sync.Mutex
	raw    *datachannel.DataChannel
	closed bool

	received, dropped, sent, refused atomic.Uint64
}

// onDataChannel takes the channel that a caller opened.
func (p *Peer) onDataChannel(dc *webrtc.DataChannel) {
	dc.OnOpen(func() {
		opened, err := dc.Detach()
		if err != nil {
			p.log.Debug("data channel", "error", err)
			return
		}
		raw, ok := opened.(*datachannel.DataChannel)
		if !ok || dc.Label() != EventsLabel || !p.events.open(raw) {
			p.log.Debug("data channel refused", "label", dc.Label())
			_ = opened.Close()
			return
		}
		p.spawn(func() { p.readEvents(raw) })
	})
}

// readEvents hands on messages until the channel closes.
func (p *Peer) readEvents(raw *datachannel.DataChannel) {
	p.tellChannel(true, func() {})
	// A channel opened in its place is told of after this one's end.
	defer p.tellChannel(false, func() { p.events.lose(raw) })
	limit, buf := rate.NewLimiter(messageRate, messageBurst), make([]byte, eventBytes)
	for {
		n, _, err := raw.ReadDataChannel(buf)
		if err != nil { // the end, or a message over the limit that the answer stated
			_ = raw.Close()
			return
		}
		p.events.received.Add(1)
		if !limit.AllowN(time.Now(), 1) {
			p.events.dropped.Add(1)
			continue
		}
		p.h.Message(buf[:n])
	}
}

// tellChannel makes a change and tells the handler of it, before any other.
func (p *Peer) tellChannel(open bool, change func()) {
	p.events.telling.Lock()
	defer p.events.telling.Unlock()
	change()
	p.h.ChannelOpen(open)
}

// open makes raw the channel, unless there is one.
func (c *eventChannel) open(raw *datachannel.DataChannel) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.raw != nil || c.closed {
		return false
	}
	c.raw = raw
	return true
}

func (c *eventChannel) lose(raw *datachannel.DataChannel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.raw == raw {
		c.raw = nil
	}
}

func (c *eventChannel) close() {
	c.mu.Lock()
	raw := c.raw
	c.raw, c.closed = nil, true
	c.mu.Unlock()
	if raw != nil {
		_ = raw.Close()
	}
}

// send queues a text message.
func (c *eventChannel) send(message []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.raw == nil {
		return ErrNoChannel
	}
	if waiting := c.raw.BufferedAmount(); waiting+uint64(len(message)) > maxBacklog {
		c.refused.Add(1)
		return fault.Newf(fault.Overloaded, "media: send event", "%d bytes wait to be taken", waiting)
	}
	if _, err := c.raw.WriteDataChannel(message, true); err != nil {
		c.refused.Add(1)
		return fault.New(fault.Failed, "media: send event", err)
	}
	c.sent.Add(1)
	return nil
}
