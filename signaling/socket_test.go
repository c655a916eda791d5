package signaling

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"parley/conversation"
	"parley/internal/fault"
)

func TestFirstMessage(t *testing.T) {
	for _, tt := range []struct {
		name, say, code string
		close           int
	}{
		{"malformed", `{"v":1,`, "invalid_json", websocket.ClosePolicyViolation},
		{"not an object", `[1]`, "invalid_json", websocket.ClosePolicyViolation},
		{"deep", strings.Repeat(`[`, 60_000), "invalid_json", websocket.ClosePolicyViolation},
		{"no version", `{"type":"join"}`, "unsupported_version", websocket.ClosePolicyViolation},
		{"other version", `{"v":2,"type":"join"}`, "unsupported_version", websocket.ClosePolicyViolation},
		{"no type", `{"v":1}`, "missing_type", websocket.ClosePolicyViolation},
		{"no join", `{"v":1,"type":"offer","sdp":"v=0"}`, "join_first", websocket.ClosePolicyViolation},
		{"bad session", `{"v":1,"type":"join","session":{"output_modalities":[]}}`, "invalid_session", websocket.ClosePolicyViolation},
		{"huge", strings.Repeat(` `, 10<<20), "message_too_big", websocket.CloseMessageTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			c := r.connect(nil)
			c.say(tt.say)
			if m := c.wantError(tt.code); !m.Fatal {
				t.Error("the error is not fatal")
			}
			c.wantClose(tt.close)
			if s := r.server.Stats(); s.Refused != 1 || s.Begun != 0 {
				t.Errorf("stats: got %+v", s)
			}
		})
	}
}

func TestLaterMessages(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, _ := r.join()
		for _, tt := range []struct{ say, code string }{
			{`{`, "invalid_json"},
			{`{"v":1,"type":5}`, "invalid_json"},
			{`{"type":"ping"}`, "unsupported_version"},
			{`{"v":1,"type":"join"}`, "already_joined"},
			{`{"v":1,"type":"dance"}`, "unknown_type"},
			{`{"v":1,"type":"event"}`, "missing_event"},
			{`{"v":1,"type":"offer"}`, "invalid_offer"},
			{`{"v":1,"type":"offer","sdp":"hello"}`, "invalid_offer"},
			{`{"v":1,"type":"candidate","candidate":{"candidate":"candidate:1"}}`, "no_offer"},
			{`{"v":1,"type":"candidate","candidate":"x"}`, "invalid_candidate"},
			{`{"v":1,"type":"candidate","candidate":{}}`, "invalid_candidate"},
			{`{"v":1,"type":"candidate"}`, "invalid_candidate"},
			{`{"v":1,"type":"candidate","candidate":{"candidate":"` + strings.Repeat("x", maxCandidate) + `"}}`, "invalid_candidate"},
		} {
			c.say(tt.say)
			if m := c.wantError(tt.code); m.Fatal {
				t.Errorf("%.60s: the error is fatal", tt.say)
			}
		}
		c.say(`{"v":1,"type":"candidate","candidate":{"candidate":""}}`) // the end of candidates is no error
		c.say(`{"v":1,"type":"event","event":{"type":"no.such.event","event_id":"mine"}}`)
		if m := c.want("error"); m.Event.Error.Code != "unknown_event" || *m.Event.Error.EventID != "mine" {
			t.Errorf("event: got %+v", m.Event)
		}
		if err := c.ws.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if m := c.wantError("not_text"); !m.Fatal {
			t.Error("not fatal")
		}
		c.wantClose(websocket.CloseUnsupportedData)
	})
}

func TestHugeMessageInACall(t *testing.T) {
	r := newRig(t)
	c, joined := r.join()
	c.say(`{"v":1,"type":"event","event":"` + strings.Repeat("x", 10<<20) + `"}`)
	c.wantError("message_too_big")
	c.wantClose(websocket.CloseMessageTooBig)
	if _, again := r.join(`"resume":"` + joined.Resume + `"`); !again.Resumed {
		t.Error("the call did not outlive its socket")
	}
}

// A socket says who it is within five seconds, then answers pings.
func TestSilentSockets(t *testing.T) {
	inBubble(t, func(r *rig) {
		start := time.Now()
		c := r.connect(nil)
		c.wantError("timeout")
		c.wantClose(websocket.ClosePolicyViolation)
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("the join was awaited for %v", d)
		}

		mute, _ := r.join()
		mute.ws.SetPingHandler(func(string) error { return nil })
		start = time.Now()
		for {
			m, err := mute.read()
			if err != nil {
				t.Fatal(err)
			}
			if m.Code == "timeout" {
				break
			}
		}
		if d := time.Since(start); d != 30*time.Second {
			t.Errorf("a socket without pongs lived %v", d)
		}

		lively, _ := r.join()
		lively.listen() // which answers the pings
		time.Sleep(10 * time.Minute)
		if n := r.server.Stats().Sockets; n != 1 {
			t.Errorf("%d sockets, want the one that answers", n)
		}
	})
}

func TestSlowReaderIsCutOff(t *testing.T) {
	inBubble(t, func(r *rig) {
		_, _ = r.join()
		other, _ := r.join()
		other.listen()
		talk := <-r.backend.talks
		start := time.Now()
		for i := range 40 {
			talk.emit(conversation.TextReceived{Turn: i + 1, Text: "x"})
		}
		synctest.Wait()
		if n := r.server.Stats().Sockets; n != 2 {
			t.Fatalf("%d sockets before the deadline", n)
		}
		time.Sleep(DefaultConfig().WriteTimeout)
		synctest.Wait()
		if n := r.server.Stats().Sockets; n != 1 {
			t.Errorf("%d sockets after %v", n, time.Since(start))
		}
		if r.server.Live() != 2 {
			t.Error("the call did not outlive its socket")
		}
	})
}

func TestSendQueueIsBounded(t *testing.T) {
	inBubble(t, func(r *rig) {
		_, _ = r.join()
		talk := <-r.backend.talks
		for i := range sendQueue + 8 {
			talk.emit(conversation.TextReceived{Turn: i + 1, Text: "x"})
			synctest.Wait()
		}
		if n := r.server.Stats().Sockets; n != 0 {
			t.Error("the socket with a full queue was kept")
		}
	})
}

// A flood on the conversation's side loses events, counts them, and makes the
// client fetch the history anew.
func TestEventOverflow(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, joined := r.join()
		talk := <-r.backend.talks
		call := r.server.find(joined.Call)
		release := make(chan struct{})
		call.post(func() { <-release })
		synctest.Wait()
		for i := range eventQueue + 10 {
			talk.emit(conversation.Transcribed{Turn: 1, Text: fmt.Sprint(i)})
		}
		close(release)
		synctest.Wait()
		if s := r.server.Stats(); s.DroppedEvents < 10 || s.Sockets != 0 {
			t.Errorf("stats: got %+v", s)
		}
		c.drop()
		if _, again := r.join(`"resume":"` + joined.Resume + `"`); !again.Resumed {
			t.Error("not resumed")
		}
	})
}

func TestMessageRate(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, _ := r.join()
		got := make(chan string, 2000)
		go func() {
			defer close(got)
			for {
				m, err := c.read()
				if err != nil {
					return
				}
				got <- m.Type + m.Code
			}
		}()
		// One bubble second of 1 ms gaps: the burst and the rate pass.
		for range 1000 {
			if c.ws.WriteMessage(websocket.TextMessage, []byte(`{"v":1,"type":"ping","t":1}`)) != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		count := map[string]int{}
		for kind := range got {
			count[kind]++
			if kind == "errorrate_limited" && count[kind] > 2 {
				t.Error("complained more than once a second")
			}
		}
		if n := count["pong"]; n < messageBurst || n > messageBurst+messageRate {
			t.Errorf("%d pings were answered", n)
		}
		if count["errorrate_limited"] == 0 {
			t.Error("no complaint")
		}
		synctest.Wait()
		if n := r.server.Stats().Sockets; n != 0 {
			t.Error("a client that does not listen was kept")
		}
	})
}

func TestOfferRate(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, _ := r.join()
		for i := range offerBurst {
			c.offer(offerOf(1, i))
			c.want("answer")
		}
		c.offer(offerOf(1, 9))
		c.wantError("rate_limited")
		time.Sleep(time.Second)
		c.offer(offerOf(1, 10))
		c.want("answer")
	})
}

// The bubble's clients have no address and count as one that is not loopback.
func TestSocketsPerAddress(t *testing.T) {
	inBubble(t, func(r *rig) {
		var open []*client
		for range 3 {
			open = append(open, r.connect(nil))
		}
		_, resp, err := r.tryConnect(nil)
		if err == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
			t.Fatalf("a fourth socket: got %v, %v", resp, err)
		}
		open[0].drop()
		synctest.Wait()
		if _, _, err := r.tryConnect(nil); err != nil {
			t.Errorf("after one had closed: %v", err)
		}
	}, func(o *Options) { o.Config.SocketsPerIP = 3 })
}

func TestJoinRate(t *testing.T) {
	inBubble(t, func(r *rig) {
		for range 30 {
			r.connect(nil).drop()
			synctest.Wait()
		}
		_, resp, err := r.tryConnect(nil)
		if err == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
			t.Fatalf("got %v, %v", resp, err)
		}
		time.Sleep(2 * time.Second) // one more each two seconds
		r.connect(nil).drop()
	})
}

func TestLoopbackIsNotLimited(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Config.SocketsPerIP, o.Config.JoinsPerMinute = 1, 1 })
	for range 3 {
		r.join()
	}
	if n := r.server.Live(); n != 3 {
		t.Errorf("%d calls", n)
	}
}

func TestBusyAndBroken(t *testing.T) {
	inBubble(t, func(r *rig) {
		first, _ := r.join()
		c := r.connect(nil)
		c.say(`{"v":1,"type":"join"}`)
		if m := c.wantError("busy"); !m.Fatal {
			t.Error("not fatal")
		}
		c.wantClose(websocket.CloseTryAgainLater)
		first.say(`{"v":1,"type":"bye"}`)
		first.want("bye")
		synctest.Wait()

		for err, code := range map[error]string{
			fault.New(fault.Overloaded, "x", nil):                                 "busy",
			fault.Newf(fault.BadInput, "x", "silence must be more"):               "invalid_request",
			fault.Newf(fault.Misconfigured, "x", "secret /path/to/model is gone"): "internal",
		} {
			r.backend.failTalk = err
			c := r.connect(nil)
			c.say(`{"v":1,"type":"join"}`)
			if m := c.wantError(code); strings.Contains(m.Message, "secret") {
				t.Errorf("the message tells too much: %s", m.Message)
			}
		}
		r.backend.failTalk = nil
		r.join() // the places were given back
	}, func(o *Options) { o.Config.MaxCalls = 1 })
}
