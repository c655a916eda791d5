package signaling

import (
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"parley/conversation"
)

func TestWholeCall(t *testing.T) {
	r := newRig(t)
	c, joined := r.join(`"client":"test/1"`, `"session":{"instructions":"Be brief."}`)
	if joined.Resumed || joined.Call == "" || !strings.HasPrefix(joined.Resume, joined.Call+".") ||
		joined.ResumeWindow != 30000 || string(joined.ICEServers) != "[]" {
		t.Errorf("joined: got %+v", joined)
	}
	talk := <-r.backend.talks
	if talk.options.Client != "test/1" || talk.options.Session.Instructions == nil || *talk.options.Session.Instructions != "Be brief." {
		t.Errorf("options: got %+v", talk.options)
	}
	c.want("session.created")

	c.offer(offerOf(1, 1))
	if m := c.want("answer"); m.SDP != "v=0\r\nanswer 1 trickle true\r\n" {
		t.Errorf("answer: got %q", m.SDP)
	}
	if m := c.want("candidate"); !strings.Contains(string(m.Candidate), "candidate:1") {
		t.Errorf("candidate: got %s", m.Candidate)
	}
	peer := <-r.backend.peers
	c.say(`{"v":1,"type":"candidate","candidate":{"candidate":"candidate:x","sdpMid":"0","sdpMLineIndex":0}}`)
	if got := <-peer.candidates; !strings.Contains(got, "candidate:x") {
		t.Errorf("client's candidate: got %s", got)
	}
	c.say(`{"v":1,"type":"candidate","candidate":null}`)

	talk.emit(conversation.SpeechStarted{Turn: 1})
	c.want("input_audio_buffer.speech_started")
	peer.events.ChannelOpen(true)
	talk.emit(conversation.SpeechStopped{Turn: 1})
	if got := <-peer.sent; !strings.Contains(got, "speech_stopped") {
		t.Errorf("on the channel: got %s", got)
	}
	peer.events.Message([]byte(`{"type":"response.cancel","event_id":"mine"}`))
	if got, ok := (<-talk.inputs).(conversation.CancelReply); !ok || got.Ref != "mine" {
		t.Errorf("input: got %+v", got)
	}
	c.say(`{"v":1,"type":"ping","t":17}`)
	if m := c.want("pong"); string(m.T) != "17" {
		t.Errorf("pong: got %s", m.T)
	}
	c.say(`{"v":1,"type":"bye"}`)
	if m := c.want("bye"); m.Reason != "hang_up" {
		t.Errorf("bye: got %q", m.Reason)
	}
	c.wantClose(websocket.CloseNormalClosure)
	if cause, over := talk.ended(); !over || cause != "hang_up" {
		t.Errorf("talk: ended %v with %q", over, cause)
	}
	<-peer.closed
}
