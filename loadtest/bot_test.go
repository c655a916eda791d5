package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v5"
	"github.com/pion/webrtc/v4"
	"gopkg.in/hraban/opus.v2"

	"parley/audio"
)

// bot is the far side of a call in these tests: a Pion peer that notices
// loudness, waits out a silence and answers with a tone, telling what it does
// as parley would.
type bot struct {
	key     string
	net     transport.Net // nil: loopback
	silence time.Duration // from the last loud packet to the answer
	answer  *Clip         // nil: it never answers
	deaf    bool          // it notices nothing
	mute    bool          // it says it answers, but no sound comes
	failing bool          // its model is down: it says so
	dumb    bool          // no events at all
	hangs   bool          // it ends the call when it hears something
	words   string        // what it understands
	reply   string        // what it answers

	mu    sync.Mutex
	got   []string  // types of client events, in order
	joins []message // as they came
	call  *botCall  // the latest
	calls sync.WaitGroup
}

// botCall is one call with it.
type botCall struct {
	*bot
	conn   SignalingConn
	pc     *webrtc.PeerConnection
	track  *webrtc.TrackLocalStaticRTP
	loud   chan time.Time // arrival of loud packets
	texts  chan string
	hangup context.CancelFunc

	write sync.Mutex // conn
	mu    sync.Mutex
	dc    *webrtc.DataChannel
	turn  int
}

// serve reads one signaling connection until it ends. Its call goes on until a
// bye or the end of ctx.
func (b *bot) serve(ctx context.Context, conn SignalingConn) {
	defer conn.Close()
	var c *botCall
	for {
		raw, err := conn.Read()
		if err != nil {
			return
		}
		var m message
		must(json.Unmarshal(raw, &m))
		if m.Type != "join" {
			c.signal(ctx, m)
			continue
		}
		if c = b.join(ctx, conn, m); c == nil {
			return
		}
	}
}

func (b *bot) join(ctx context.Context, conn SignalingConn, m message) *botCall {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.joins = append(b.joins, m)
	if b.key != "" && m.Key != b.key {
		_ = conn.Write(encodeMessage(message{Type: "error", Code: "unauthorized", Message: "A key is needed.", Fatal: true}))
		return nil
	}
	if m.Resume != "" {
		b.call.write.Lock()
		b.call.conn = conn
		b.call.write.Unlock()
	} else {
		ctx, hangup := context.WithCancel(ctx)
		call := &botCall{bot: b, conn: conn, hangup: hangup, loud: make(chan time.Time, 64), texts: make(chan string, 8)}
		b.calls.Go(func() { call.end(ctx) })
		b.call = call
	}
	b.call.say(message{Type: "joined", Call: "call_1", Resume: fmt.Sprint("token", len(b.joins)), Resumed: m.Resume != ""})
	return b.call
}

func (c *botCall) end(ctx context.Context) {
	<-ctx.Done()
	c.mu.Lock()
	pc := c.pc
	c.mu.Unlock()
	if pc != nil {
		_ = pc.GracefulClose()
	}
}

func (c *botCall) signal(ctx context.Context, m message) {
	switch m.Type {
	case "offer":
		c.accept(ctx, m.SDP)
	case "candidate":
		if m.Candidate != nil {
			_ = c.pc.AddICECandidate(*m.Candidate) // the offer comes first
		}
	case "event":
		c.clientEvent(m.Event)
	case "bye":
		c.hangup()
	}
}

func (c *botCall) say(m message) {
	c.write.Lock()
	defer c.write.Unlock()
	_ = c.conn.Write(encodeMessage(m))
}

func (c *botCall) accept(ctx context.Context, offer string) {
	if c.pc == nil {
		c.open(ctx)
	}
	must(c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}))
	answer, err := c.pc.CreateAnswer(nil)
	must(err)
	must(c.pc.SetLocalDescription(answer))
	c.say(message{Type: "answer", SDP: answer.SDP})
}

func (c *botCall) open(ctx context.Context) {
	api, err := newAPI(Options{URL: "http://127.0.0.1", Net: c.net})
	must(err)
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	must(err)
	c.mu.Lock()
	c.pc = pc
	c.mu.Unlock()
	c.track, err = webrtc.NewTrackLocalStaticRTP(opusCodec(), "voice", "bot")
	must(err)
	_, err = c.pc.AddTrack(c.track)
	must(err)
	c.pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate != nil {
			init := candidate.ToJSON()
			c.say(message{Type: "candidate", Candidate: &init})
		}
	})
	c.pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		c.mu.Lock()
		c.dc = dc
		c.mu.Unlock()
		dc.OnMessage(func(m webrtc.DataChannelMessage) { c.clientEvent(m.Data) })
	})
	c.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		ctx, cancel := context.WithCancel(ctx)
		c.calls.Go(func() { c.converse(ctx) })
		c.calls.Go(func() { defer cancel(); c.hear(t) })
	})
}

func (c *botCall) clientEvent(raw []byte) {
	var ev struct {
		Type string
		Item struct{ Content []struct{ Text string } }
	}
	must(json.Unmarshal(raw, &ev))
	c.bot.mu.Lock()
	c.got = append(c.got, ev.Type)
	c.bot.mu.Unlock()
	if len(ev.Item.Content) > 0 {
		c.texts <- ev.Item.Content[0].Text
	}
}

func (c *botCall) hear(t *webrtc.TrackRemote) {
	dec, err := opus.NewDecoder(16000, 1)
	must(err)
	pcm := make([]int16, 1920)
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		n, err := dec.Decode(p.Payload, pcm)
		if err == nil && audio.DBFS(audio.RMS(pcm[:n])) > -40 && !c.deaf {
			select {
			case c.loud <- time.Now():
			default:
			}
		}
	}
}

// converse is the bot's mind: loud packets restart the silence, whose end
// brings an answer, which loudness breaks off.
func (c *botCall) converse(ctx context.Context) {
	ticker := time.NewTicker(audio.FrameDuration)
	defer ticker.Stop()
	silence := time.NewTimer(time.Hour)
	defer silence.Stop()
	header := rtp.Header{Version: 2, SequenceNumber: 65530}
	playing, speaking := -1, false
	start := func(user string) {
		c.turn++
		c.told("conversation.item.input_audio_transcription.completed", map[string]any{"item_id": fmt.Sprint("u", c.turn), "transcript": user})
		playing = c.begin(user)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-c.loud:
			if c.hangs {
				c.say(message{Type: "bye", Reason: "shutdown"})
				return
			}
			if playing >= 0 {
				playing = -1
				c.replied("cancelled", "turn_detected", at)
			}
			if !speaking {
				speaking = true
				c.told("input_audio_buffer.speech_started", map[string]any{"item_id": fmt.Sprint("u", c.turn+1)})
			}
			silence.Reset(c.silence)
		case <-silence.C:
			speaking = false
			start(c.words)
		case text := <-c.texts:
			start(text)
		case <-ticker.C:
			header.Timestamp += frameSize
			if playing < 0 || c.mute {
				break
			}
			header.Marker = playing == 0
			p := rtp.Packet{Header: header, Payload: c.answer.packets[playing]}
			must(c.track.WriteRTP(&p))
			header.SequenceNumber++
			if playing++; playing == c.answer.frames() {
				playing = -1
				c.replied("completed", "", time.Time{})
			}
		}
	}
}

// begin opens an answer; it returns the first frame to play, or −1 for none.
func (c *botCall) begin(user string) int {
	id := fmt.Sprint("r", c.turn)
	if c.failing {
		c.told("parley.notice", map[string]any{"stage": "llm", "message": "The language model is down."})
		c.told("parley.turn", map[string]any{"turn": c.turn, "status": "failed", "user": user})
		return -1
	}
	if c.answer == nil {
		return -1
	}
	c.told("response.created", map[string]any{"response": map[string]any{"id": id}})
	c.told("response.output_audio_transcript.delta", map[string]any{"response_id": id, "delta": c.reply})
	c.told("output_audio_buffer.started", map[string]any{"response_id": id})
	return 0
}

func (c *botCall) replied(status, reason string, cut time.Time) {
	id := fmt.Sprint("r", c.turn)
	over, marks := "output_audio_buffer.stopped", map[string]any{"speech_ended": 0, "endpoint_decided": 200, "first_packet_sent": 205}
	origin := time.Now()
	if !cut.IsZero() {
		over, origin = "output_audio_buffer.cleared", cut
		marks["interrupted"] = 0
	}
	c.told("response.done", map[string]any{"response": map[string]any{"id": id, "status": status}})
	c.told(over, map[string]any{"response_id": id})
	c.told("parley.turn", map[string]any{"turn": c.turn, "status": status, "reason": reason, "user": c.words, "heard": c.reply,
		"timeline": map[string]any{"origin": origin.UTC(), "marks_ms": marks}})
}

func (c *botCall) told(kind string, fields map[string]any) {
	if c.dumb {
		return
	}
	fields["type"] = kind
	raw, err := json.Marshal(fields)
	must(err)
	c.mu.Lock()
	dc := c.dc
	c.mu.Unlock()
	if dc == nil {
		c.say(message{Type: "event", Event: raw})
		return
	}
	_ = dc.SendText(string(raw))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// hum is a clip: lead of silence, a loud tone, lag of silence.
func hum(name string, lead, length, lag time.Duration) *Clip {
	n := func(d time.Duration) int { return audio.DurationToSamples(d, 16000) }
	pcm := make([]int16, n(lead+length+lag))
	for i := range n(length) {
		pcm[n(lead)+i] = int16(12000 * math.Sin(2*math.Pi*440*float64(i)/16000))
	}
	c, err := NewClip(name, pcm, 16000)
	must(err)
	return c
}
