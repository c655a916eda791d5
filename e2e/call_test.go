package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/pion/transport/v5/vnet"

	"parley/internal/timeline"
	"parley/loadtest"
)

const ms = time.Millisecond

// In fake time work takes no time, so what remains of the wait is the silence
// asked for, the frame grid, and nothing of parley's own.
func TestTurnTakesTheSilenceAndNothingMore(t *testing.T) {
	inFakeTime(t, testConfig(), func(v *virtual) {
		c, ctx := v.call(loadtest.Options{})
		defer c.Hangup()
		turn, err := c.Say(ctx, clip(t, "what-time-is-it-1.wav"))
		must(t, err)
		if turn.Transcript != "the first question" || !strings.HasPrefix(turn.Reply, "One two three") {
			t.Errorf("understood %q, answered %q", turn.Transcript, turn.Reply)
		}
		own, ok := turn.Timeline.ResponseTime()
		var endpointing time.Duration
		for _, s := range turn.Timeline.Stages() {
			if s.Name == "endpointing" {
				endpointing = s.Duration
			}
		}
		if !ok || own-endpointing > ms {
			t.Errorf("of %v, all but %v is the framework's", own, endpointing)
		}
		if endpointing < 200*ms || endpointing > 220*ms {
			t.Errorf("endpointing took %v", endpointing)
		}
	})
}

func TestCallsUnderImpairment(t *testing.T) {
	tests := []struct {
		name string
		lose func(time.Time, vnet.Chunk) bool
	}{
		{"none", nil},
		{"5 % loss", lossy(0.05)},
		{"10 % loss", lossy(0.10)},
		{"30 % loss", lossy(0.30)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inFakeTime(t, testConfig(), func(v *virtual) {
				c, ctx := v.call(loadtest.Options{})
				defer c.Hangup()
				v.impair(tt.lose)
				for _, want := range []string{"the first question", "the second question"} {
					turn, err := c.Say(ctx, clip(t, "brooklyn-bridge.wav"))
					must(t, err)
					if turn.Transcript != want {
						t.Errorf("understood %q; an utterance was split or missed", turn.Transcript)
					}
				}
			})
		})
	}
}

// Missing audio is unknown, not silent: a gap longer than the silence that ends
// a turn must not end one.
func TestBlackoutMidWordEndsNoTurn(t *testing.T) {
	for _, at := range []time.Duration{500 * ms, 700 * ms, 900 * ms, 1100 * ms} {
		inFakeTime(t, testConfig(), func(v *virtual) {
			c, ctx := v.call(loadtest.Options{})
			defer c.Hangup()
			from := time.Now().Add(at)
			v.impair(func(now time.Time, c vnet.Chunk) bool {
				return isMedia(c) && now.After(from) && now.Before(from.Add(300*ms))
			})
			turn, err := c.Say(ctx, clip(t, "brooklyn-bridge.wav"))
			must(t, err)
			if turn.Transcript != "the first question" || turn.Latency < 0 {
				t.Errorf("blackout at %v: understood %q after %v", at, turn.Transcript, turn.Latency)
			}
		})
	}
}

func TestBargeIn(t *testing.T) {
	inFakeTime(t, testConfig(), func(v *virtual) {
		c, ctx := v.call(loadtest.Options{})
		defer c.Hangup()
		got, err := c.SayAndInterrupt(ctx, clip(t, "what-time-is-it-1.wav"), clip(t, "brooklyn-bridge.wav"), 700*ms)
		must(t, err)
		if !got.Stopped || !got.Decided || got.DecisionToSilence > 30*ms { // one frame, and 10 ms on the way
			t.Errorf("stopped %v, %v after the decision", got.Stopped, got.DecisionToSilence)
		}
		if got.OnsetToSilence > 300*ms {
			t.Errorf("the answer went on for %v", got.OnsetToSilence)
		}
		if got.First.Status != "cancelled" || got.First.Heard == got.First.Reply || !strings.HasPrefix(got.First.Reply, got.First.Heard) {
			t.Errorf("first turn: %q heard of %q, %s", got.First.Heard, got.First.Reply, got.First.Status)
		}
		if got.Second.Reply != "The second answer." {
			t.Errorf("second turn: %q", got.Second.Reply)
		}
	})
}

func TestPushToTalk(t *testing.T) {
	cfg := testConfig()
	cfg.VAD.Engine = "energy" // push-to-talk must not care
	inFakeTime(t, cfg, func(v *virtual) {
		c, ctx := v.call(loadtest.Options{PushToTalk: true})
		defer c.Hangup()
		turn, err := c.Say(ctx, clip(t, "go-forward.wav"))
		must(t, err)
		if turn.Transcript != "the first question" {
			t.Errorf("understood %q", turn.Transcript)
		}
		for _, s := range turn.Timeline.Stages() {
			if s.Name == "endpointing" && s.Duration > 100*ms {
				t.Errorf("the tail took %v", s.Duration)
			}
		}
	})
}

func TestTextTurn(t *testing.T) {
	inFakeTime(t, testConfig(), func(v *virtual) {
		c, ctx := v.call(loadtest.Options{})
		defer c.Hangup()
		turn, err := c.Write(ctx, "hello there")
		must(t, err)
		if !strings.HasPrefix(turn.Reply, "One two") || turn.ReplyLength < time.Second {
			t.Errorf("answered %q in %v", turn.Reply, turn.ReplyLength)
		}
	})
}

// A socket that is lost takes nothing with it: media flows on, and the call is
// the same after it was resumed.
func TestResumeAfterLostSocket(t *testing.T) {
	inFakeTime(t, testConfig(), func(v *virtual) {
		c, ctx := v.call(loadtest.Options{})
		defer c.Hangup()
		first, err := c.Say(ctx, clip(t, "what-time-is-it-1.wav"))
		must(t, err)
		id := c.ID()
		c.DropSocket()
		during, err := c.Say(ctx, clip(t, "what-time-is-it-1.wav")) // on the data channel alone
		must(t, err)
		time.Sleep(20 * time.Second)
		resumed, err := c.Resume(ctx)
		must(t, err)
		if !resumed || c.ID() != id {
			t.Errorf("resumed %v, call %s became %s", resumed, id, c.ID())
		}
		after, err := c.Say(ctx, clip(t, "what-time-is-it-1.wav"))
		must(t, err)
		if got := first.Transcript + ", " + during.Transcript + ", " + after.Transcript; got != "the first question, the second question, the third question" {
			t.Errorf("understood %s", got)
		}
		if _, ok := after.Timeline.At(timeline.FirstPacketSent); !ok {
			t.Error("no timeline after the resumption")
		}
	})
}

func TestVanishedCallerIsLetGo(t *testing.T) {
	inFakeTime(t, testConfig(), func(v *virtual) {
		c, ctx := v.call(loadtest.Options{})
		_, err := c.Say(ctx, clip(t, "what-time-is-it-1.wav"))
		must(t, err)
		v.impair(func(time.Time, vnet.Chunk) bool { return true }) // the cable is cut
		c.DropSocket()
		time.Sleep(time.Minute)
		for _, name := range []string{"parley_conversations", "parley_peer_connections"} {
			if n := v.metric(name); n != 0 {
				t.Errorf("a minute later %s is %v", name, n)
			}
		}
		c.Hangup()
	})
}

// Clients without a socket post their offer, as the Realtime API has it.
func TestCallByPostedOffer(t *testing.T) {
	inFakeTime(t, testConfig(), func(v *virtual) {
		c, ctx := v.call(loadtest.Options{Connect: loadtest.HTTPOffer})
		turn, err := c.Say(ctx, clip(t, "what-time-is-it-1.wav"))
		must(t, err)
		if turn.Transcript != "the first question" || turn.ReplyLength < time.Second {
			t.Errorf("understood %q, answered for %v", turn.Transcript, turn.ReplyLength)
		}
		c.Hangup()
		time.Sleep(time.Second)
		if n := v.metric("parley_conversations"); n != 0 {
			t.Errorf("after hanging up %v calls are up", n)
		}
	})
}
