package signaling

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"parley/conversation"
)

func resumeWith(token string) string { return `"resume":"` + token + `"` }

func TestResumeWithinTheWindow(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, joined := r.join()
		talk := <-r.backend.talks
		talk.emit(conversation.TextReceived{Turn: 1, Text: "Hello."}, conversation.ReplyStarted{Turn: 1, Reply: 1},
			conversation.ReplyText{Turn: 1, Reply: 1, Delta: "Hi."},
			conversation.ReplyEnded{Turn: 1, Reply: 1, Status: conversation.Completed, Generated: "Hi.", Heard: "Hi."})
		c.want("response.done")
		c.drop()
		time.Sleep(29 * time.Second)
		talk.emit(conversation.TextReceived{Turn: 2, Text: "Still there?"}) // while nobody listens

		c2, again := r.join(resumeWith(joined.Resume), `"session":{"instructions":"New."}`)
		if !again.Resumed || again.Call != joined.Call || again.Resume == joined.Resume {
			t.Errorf("joined: got %+v", again)
		}
		if in, ok := (<-talk.inputs).(conversation.Configure); !ok || *in.Patch.Instructions != "New." {
			t.Errorf("session: got %+v", in)
		}
		var items []string
		c2.want("session.updated")
		for range 6 {
			m := c2.next()
			items = append(items, m.Event.Type+" "+m.Event.Item.ID[strings.LastIndex(m.Event.Item.ID, "_")+1:])
		}
		want := "conversation.item.added u1,conversation.item.done u1,conversation.item.added a1,conversation.item.done a1,conversation.item.added u2,conversation.item.done u2"
		if got := strings.Join(items, ","); got != want {
			t.Errorf("replay: got %s", got)
		}
		c2.listen()
		time.Sleep(time.Hour)
		if r.server.Live() != 1 {
			t.Error("a call ended that had its socket")
		}
	})
}

func TestResumeAfterTheWindow(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, joined := r.join()
		talk := <-r.backend.talks
		c.drop()
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if cause, over := talk.ended(); !over || cause != "lost" || r.server.Live() != 0 {
			t.Errorf("ended %v for %q, %d live", over, cause, r.server.Live())
		}
		for _, token := range []string{joined.Resume, "x", joined.Call + ".", strings.Repeat("a", 5000)} {
			c2 := r.connect(nil)
			c2.say(`{"v":1,"type":"join",` + resumeWith(token) + `}`)
			if m := c2.wantError("resume_expired"); m.Fatal {
				t.Error("fatal")
			}
			if m := c2.want("joined"); m.Resumed || m.Call == joined.Call {
				t.Errorf("joined: got %+v", m)
			}
		}
	})
}

// A token is good until its successor has been seen to arrive.
func TestTokenRotation(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, first := r.join()
		c.drop()
		synctest.Wait()
		c, second := r.join(resumeWith(first.Resume))
		c.drop() // before the client said anything: it may not have read its new token
		synctest.Wait()
		c, third := r.join(resumeWith(first.Resume))
		if !third.Resumed || third.Resume == second.Resume {
			t.Fatalf("with the token before: got %+v", third)
		}
		c.say(`{"v":1,"type":"ping"}`)
		c.want("pong")
		synctest.Wait()
		for _, used := range []string{first.Resume, second.Resume} {
			stale := r.connect(nil)
			stale.say(`{"v":1,"type":"join",` + resumeWith(used) + `}`)
			stale.wantError("resume_expired")
		}
		forged := r.connect(nil)
		forged.say(`{"v":1,"type":"join",` + resumeWith(first.Call+"."+strings.Repeat("A", 43)) + `}`)
		forged.wantError("resume_expired")
		c.say(`{"v":1,"type":"ping"}`)
		c.want("pong") // none of them took the call away
	})
}

func TestResumeReplacesTheSocket(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, joined := r.join()
		c2, again := r.join(resumeWith(joined.Resume))
		if !again.Resumed {
			t.Fatal("not resumed")
		}
		if m := c.want("bye"); m.Reason != "replaced" {
			t.Errorf("bye: got %q", m.Reason)
		}
		c.wantClose(websocket.CloseNormalClosure)
		c2.listen()
		time.Sleep(time.Minute)
		if r.server.Live() != 1 {
			t.Error("the call ended with the socket that was replaced")
		}
		c2.say(`{"v":1,"type":"bye"}`)
	})
}

// After a resume, events take the socket until the client has offered: its old
// data channel may still look open.
func TestOffersAfterResume(t *testing.T) {
	for name, connection := range map[string]int{"the same connection": 1, "a new connection": 2} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				c, joined := r.join()
				talk := <-r.backend.talks
				c.offer(offerOf(1, 1))
				c.want("candidate")
				old := <-r.backend.peers
				old.events.ChannelOpen(true)
				synctest.Wait()
				talk.emit(conversation.TimerRang{Label: "1"})
				<-old.sent
				c.drop()
				synctest.Wait()
				talk.emit(conversation.TimerRang{Label: "2"}) // media still flows
				<-old.sent

				c, _ = r.join(resumeWith(joined.Resume))
				c.want("session.updated")
				talk.emit(conversation.TimerRang{Label: "3"})
				c.want("parley.timer")
				c.offer(offerOf(connection, 2))
				c.want("answer")
				current := old
				if connection == 2 {
					current = <-r.backend.peers
					<-old.closed
					old.events.ChannelOpen(true) // a late word of the old peer counts for nothing
					talk.emit(conversation.TimerRang{Label: "4"})
					c.want("parley.timer")
					current.events.ChannelOpen(true)
				}
				synctest.Wait()
				talk.emit(conversation.TimerRang{Label: "5"})
				if got := <-current.sent; !strings.Contains(got, `"5"`) {
					t.Errorf("got %s", got)
				}
				if n := len(r.backend.peers); n != 0 {
					t.Errorf("%d more peers", n)
				}
				if _, over := talk.ended(); over {
					t.Error("the conversation ended")
				}
			})
		})
	}
}

func TestOfferFailures(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, _ := r.join()
		c.offer(offerOf(1, 1))
		c.want("candidate")
		first := <-r.backend.peers
		r.backend.failAnswer = errTooBig // any error
		c.offer(offerOf(2, 1))
		c.wantError("invalid_offer")
		<-(<-r.backend.peers).closed // the new peer is given up, the old one stays
		c.offer(offerOf(1, 2))
		c.wantError("invalid_offer")
		r.backend.failAnswer = nil
		first.events.Candidate([]byte(`{"candidate":"late"}`))
		c.want("candidate") // what was agreed before still stands
		select {
		case <-first.closed:
			t.Error("the peer in use was closed")
		default:
		}
		r.backend.failPeer = errTooBig
		c.offer(offerOf(3, 1))
		c.wantError("internal")
		r.backend.failPeer = nil
		time.Sleep(5 * time.Second)
		r.backend.hold = make(chan struct{})
		c.offer(offerOf(4, 1))
		c.wantError("answer_timeout")
	})
}

func TestEventsOnTheSocketAlways(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, _ := r.join(`"events":"socket"`)
		talk := <-r.backend.talks
		c.offer(offerOf(1, 1))
		c.want("candidate")
		peer := <-r.backend.peers
		peer.events.ChannelOpen(true)
		talk.emit(conversation.TimerRang{})
		c.want("parley.timer")
		c.drop()
		synctest.Wait()
		talk.emit(conversation.TimerRang{})
		<-peer.sent // the channel is better than nothing
		peer.failSend.Store(true)
		talk.emit(conversation.TimerRang{})
		peer.events.ChannelOpen(false)
		talk.emit(conversation.TimerRang{})
		synctest.Wait()
		if n := r.server.Stats().UndeliveredEvents; n != 2 {
			t.Errorf("%d undelivered", n)
		}
	})
}

func TestClientEvents(t *testing.T) {
	inBubble(t, func(r *rig) {
		c, joined := r.join()
		talk := <-r.backend.talks
		c.want("conversation.created")
		event := func(text string) { c.say(`{"v":1,"type":"event","event":` + text + `}`) }
		item := "item_" + joined.Call + "_u1"
		talk.emit(conversation.TextReceived{Turn: 1, Text: "Hello."})
		c.want("conversation.item.done")
		event(`{"type":"conversation.item.retrieve","item_id":"` + item + `"}`)
		if m := c.want("conversation.item.retrieved"); m.Event.Item.ID != item {
			t.Errorf("retrieved: got %+v", m.Event)
		}
		event(`{"type":"input_audio_buffer.clear"}`)
		c.want("input_audio_buffer.cleared")
		if _, ok := (<-talk.inputs).(conversation.ClearInput); !ok {
			t.Error("no ClearInput")
		}
		event(`{"type":"response.cancel","response_id":"resp_x_1"}`)
		if m := c.next(); m.Event.Error.Code != "response_cancel_not_active" {
			t.Errorf("cancel of another: got %+v", m)
		}
		talk.emit(conversation.ReplyStarted{Turn: 1, Reply: 1})
		c.want("response.created")
		event(`{"type":"response.cancel","response_id":"resp_` + joined.Call + `_1"}`)
		if _, ok := (<-talk.inputs).(conversation.CancelReply); !ok {
			t.Error("no CancelReply")
		}
		talk.refuse.Store(true)
		event(`{"type":"response.create"}`)
		if m := c.next(); m.Event.Error.Code != "overloaded" {
			t.Errorf("a conversation that takes nothing: got %+v", m)
		}
	})
}
