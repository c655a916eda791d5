package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// farewell is how long a hang-up waits for the far side to close first.
const farewell = 250 * time.Millisecond

// Caller is a peer in a call that is up.
type Caller struct {
	o     Options
	log   *slog.Logger
	line  *line
	stop  context.CancelFunc // ends the goroutines
	tasks sync.WaitGroup
	once  sync.Once // Hangup

	mu      sync.Mutex
	changed chan struct{} // closed, and replaced, when something a turn waits for happened
	wire    *wire         // the signaling socket; replaced by Resume
	token   string        // to resume with
	call    string        // its id, as the server names it
	media   webrtc.PeerConnectionState
	ready   bool // the events' data channel is open

	offering bool     // an offer is being made: its candidates wait in held
	held     [][]byte // bounded by the machine's addresses

	lost  error
	mic   mic
	ear   *ear
	story story
}

// Dial calls, and returns once media and events flow. The microphone is open
// from then on. Errors are *Error where the far side is to blame.
func Dial(ctx context.Context, o Options) (*Caller, error) {
	o = o.withDefaults()
	room, err := o.room()
	if err != nil {
		return nil, err
	}
	ear, err := newEar(o.Record)
	if err != nil {
		return nil, err
	}
	c := &Caller{o: o, log: o.Logger, changed: make(chan struct{}), mic: newMic(room, o.DTX), ear: ear, stop: func() {}}
	c.story.begin()
	if err := c.connect(ctx); err != nil {
		c.Hangup()
		return nil, err
	}
	return c, nil
}

func (o Options) room() ([][]byte, error) {
	if o.Room != nil {
		return o.Room.packets[:o.Room.frames()], nil
	}
	return silence()
}

func (c *Caller) connect(ctx context.Context) error {
	conn, joined, err := c.join(ctx, "")
	if err != nil {
		return err
	}
	c.line, err = newLine(c.o, joined.ICEServers)
	if err != nil {
		_ = conn.Close()
		return err
	}
	c.attach()
	c.adopt(conn, joined)
	if err := c.offer(nil); err != nil {
		return err
	}
	if err := c.await(ctx, c.isUp); err != nil {
		return c.explain(err)
	}
	background, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.tasks.Go(func() { c.talk(background) })
	c.tasks.Go(func() { c.listen(background) })
	return nil
}

// isUp says whether the call has come about; for await.
func (c *Caller) isUp(time.Time) (bool, time.Time) {
	return c.media == webrtc.PeerConnectionStateConnected && (c.ready || c.o.NoEvents), time.Time{}
}

// explain puts a Dial that ran out of time into words.
func (c *Caller) explain(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.line.pc.RemoteDescription() == nil:
		return failf(NotParley, err, "%s took the call but never answered the offer.", c.o.URL)
	case c.media == webrtc.PeerConnectionStateConnected:
		return failf(NotParley, err, "The media connection to %s stands, but its events channel never opened.", c.o.URL)
	}
	return failf(NoMedia, err, "%s answers, but no media connection came about: its UDP and TCP media ports cannot be reached from here.", c.o.URL)
}

// attach hears what Pion reports. Its callbacks must not block.
func (c *Caller) attach() {
	c.line.pc.OnConnectionStateChange(func(webrtc.PeerConnectionState) {
		// Each change has a goroutine of its own, so that they may come out of
		// order: the present state is what counts. Closed is for good.
		c.update(func() {
			if c.media != webrtc.PeerConnectionStateClosed {
				c.media = c.line.pc.ConnectionState()
				c.checkLost()
			}
		})
	})
	c.line.pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate == nil {
			c.trickle([]byte(endOfCandidates))
			return
		}
		init := candidate.ToJSON()
		c.trickle(encodeMessage(message{Type: "candidate", Candidate: &init}))
	})
	if c.line.events == nil {
		return
	}
	c.line.events.OnOpen(func() { c.update(func() { c.ready = true }) })
	c.line.events.OnClose(func() {
		c.update(func() {
			c.ready, c.media = false, webrtc.PeerConnectionStateClosed
			c.checkLost()
		})
	})
	c.line.events.OnMessage(func(m webrtc.DataChannelMessage) { c.hearEvent(m.Data) })
}

// checkLost notes when nothing can come any more. It holds the mutex.
func (c *Caller) checkLost() {
	gone := c.wire == nil || c.wire.down
	switch {
	case c.lost != nil:
	case c.media == webrtc.PeerConnectionStateFailed, c.media == webrtc.PeerConnectionStateClosed:
		c.lost = failf(CallLost, nil, "The call broke: the media connection is gone.")
	case c.media == webrtc.PeerConnectionStateDisconnected && gone:
		c.lost = failf(CallLost, nil, "The call broke: parley has stopped answering.")
	}
}

// lose ends the call from the far side's doing. The first reason stands.
func (c *Caller) lose(err error) {
	c.update(func() {
		if c.lost == nil {
			c.lost = err
		}
	})
}

// listen takes in the far side's packets until the call or ctx ends.
func (c *Caller) listen(ctx context.Context) {
	var remote remoteTrack
	select {
	case remote = <-c.line.remote:
	case <-ctx.Done():
		return
	}
	c.tasks.Go(func() { // reports are made by interceptors, which work as RTCP is read
		buf := make([]byte, 1500)
		for {
			if _, _, err := remote.receiver.Read(buf); err != nil {
				return
			}
		}
	})
	buf := make([]byte, 1500)
	var packet rtp.Packet
	for {
		n, _, err := remote.track.Read(buf)
		if err != nil {
			return
		}
		at := time.Now()
		if packet.Unmarshal(buf[:n]) != nil {
			continue
		}
		c.mu.Lock()
		if c.ear.packet(&packet, at) {
			c.ring()
		}
		c.mu.Unlock()
	}
}

func (c *Caller) hearEvent(raw []byte) {
	at := time.Now()
	if c.o.OnEvent != nil {
		c.o.OnEvent(at, raw)
	}
	c.update(func() { c.story.tell(raw, at) })
}

// Send sends a realtime client event, on the data channel where it is open,
// else on the socket.
func (c *Caller) Send(event any) error {
	raw, err := json.Marshal(event)
	if err != nil {
		return failf(BadUsage, err, "The event cannot be written as JSON: %v.", err)
	}
	c.mu.Lock()
	ready := c.ready
	c.mu.Unlock()
	if ready {
		if err := c.line.events.SendText(string(raw)); err != nil {
			return failf(CallLost, err, "The call broke: an event could not be sent.")
		}
		return nil
	}
	c.send(encodeMessage(message{Type: "event", Event: raw}))
	return nil
}

type plainEvent struct {
	Type string `json:"type"`
}

// Press holds the talk button down, Release lets it go.
func (c *Caller) Press() error { return c.Send(plainEvent{"parley.talk.start"}) }

// Release lets the talk button go.
func (c *Caller) Release() error { return c.Send(plainEvent{"parley.talk.stop"}) }

// ID is the call's id, as the server names it; "" where it does not.
func (c *Caller) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.call
}

// Hangup says goodbye and returns when nothing of the call is left. It may be
// called more than once.
func (c *Caller) Hangup() {
	c.once.Do(func() {
		c.mu.Lock()
		w, up := c.wire, c.lost == nil || ClassOf(c.lost) == CallLost
		c.mu.Unlock()
		c.lose(failf(CallLost, nil, "The call was hung up."))
		if w != nil {
			w.finish(encodeMessage(message{Type: "bye", Reason: "hang_up"}))
		}
		c.stop()
		if c.line != nil {
			if up {
				c.letClose()
			}
			if err := c.line.pc.GracefulClose(); err != nil {
				c.log.Debug("closing the peer connection", "error", err)
			}
		}
		c.tasks.Wait()
	})
}

// letClose gives the far side a moment to close first. Two that close at the
// same instant make each other wait inside Pion, in fake time for ever.
func (c *Caller) letClose() {
	if c.line.events == nil {
		return
	}
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	for open := true; open; {
		c.mu.Lock()
		changed := c.changed
		open = c.ready
		c.mu.Unlock()
		if !open {
			timer.Reset(time.Millisecond) // for what the close has set in motion
			<-timer.C
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			return
		}
	}
}

// update changes the state and wakes who waits for it.
func (c *Caller) update(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	c.ring()
}

// ring wakes everybody in await. It holds the mutex.
func (c *Caller) ring() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// await returns when check says it is done: it is asked, with the mutex held,
// after every change and at the time it named. A lost call or ctx end it early.
func (c *Caller) await(ctx context.Context, check func(now time.Time) (done bool, wake time.Time)) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		c.mu.Lock()
		done, wake := check(time.Now())
		changed, lost := c.changed, c.lost
		c.mu.Unlock()
		if done {
			return nil
		}
		if lost != nil {
			return lost
		}
		var ring <-chan time.Time
		if !wake.IsZero() {
			timer.Reset(time.Until(wake))
			ring = timer.C
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-ring:
		}
	}
}
