package loadtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"

	"parley/audio"
)

const ms = time.Millisecond

// inFakeTime runs a call with the bot on a virtual network, in a bubble, which
// also proves that nothing of it is left.
func inFakeTime(t *testing.T, b *bot, o Options, run func(ctx context.Context, c *Caller, air *air)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var a air
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		hangup := a.connect(ctx, b, &o)
		defer hangup()
		defer cancel()
		c, err := Dial(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Hangup() // once more does nothing
		run(ctx, c, &a)
		c.Hangup()
	})
}

// air is the network between the two.
type air struct{ dead bool }

// connect puts the bot and a caller on a virtual network.
func (a *air) connect(ctx context.Context, b *bot, o *Options) (hangup func()) {
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()})
	must(err)
	nets := make([]*vnet.Net, 2)
	for i := range nets {
		nets[i], err = vnet.NewNet(&vnet.NetConfig{})
		must(err)
		must(router.AddNet(nets[i]))
	}
	router.AddChunkFilter(func(vnet.Chunk) bool { return !a.dead })
	must(router.Start())
	b.net, o.Net, o.Connect, o.URL = nets[0], nets[1], b.connector(ctx), "http://bot"
	return func() {
		b.calls.Wait()
		must(router.Stop())
	}
}

func answering() *bot {
	return &bot{silence: 200 * ms, answer: hum("answer", 0, 600*ms, 0), words: "what time is it", reply: "It is four."}
}

func question() *Clip { return hum("question", 100*ms, 400*ms, 500*ms) }

func near(t *testing.T, what string, got, from, to time.Duration) {
	t.Helper()
	if got < from || got > to {
		t.Errorf("%s: got %v, want %v to %v", what, got, from, to)
	}
}

func TestSay(t *testing.T) {
	inFakeTime(t, answering(), Options{Record: true}, func(ctx context.Context, c *Caller, _ *air) {
		for range 2 {
			turn, err := c.Say(ctx, question())
			if err != nil {
				t.Fatal(err)
			}
			near(t, "latency", turn.Latency, 200*ms, 240*ms)
			near(t, "first packet", turn.FirstPacket, 200*ms, turn.Latency)
			near(t, "reply", turn.ReplyLength, 580*ms, 580*ms)
			near(t, "speech", turn.Spoke.Sub(turn.Onset), 380*ms, 380*ms)
			if turn.Transcript != "what time is it" || turn.Reply != "It is four." || !turn.Answered ||
				turn.Status != "completed" || turn.Input != "audio" || len(turn.Timeline.Stages()) != 2 {
				t.Errorf("got %+v", turn)
			}
			near(t, "heard", audio.SamplesToDuration(len(turn.Sound), turn.Rate), 600*ms, 600*ms)
			if level := audio.DBFS(audio.RMS(turn.Sound)); level < -20 {
				t.Errorf("heard %.0f dBFS", level)
			}
		}
	})
}

// Room noise between clips is sent and is no speech; with DTX next to nothing is.
func TestRoomAndDTX(t *testing.T) {
	for _, o := range []Options{{Room: hum("room", 0, 0, 400*ms)}, {DTX: true}} {
		inFakeTime(t, answering(), o, func(ctx context.Context, c *Caller, _ *air) {
			turn, err := c.Say(ctx, question())
			if err != nil {
				t.Fatal(err)
			}
			near(t, "latency", turn.Latency, 200*ms, 240*ms)
		})
	}
}

// A bare media server tells nothing: sound alone decides.
func TestSayWithoutEvents(t *testing.T) {
	b := answering()
	b.dumb = true
	inFakeTime(t, b, Options{NoEvents: true}, func(ctx context.Context, c *Caller, _ *air) {
		turn, err := c.Say(ctx, question())
		if err != nil {
			t.Fatal(err)
		}
		near(t, "latency", turn.Latency, 200*ms, 240*ms)
		near(t, "quiet before the end", time.Since(turn.Ended), 600*ms, 620*ms)
	})
}

func TestPushToTalk(t *testing.T) {
	b := answering()
	inFakeTime(t, b, Options{PushToTalk: true, Session: map[string]any{"instructions": "Be brief."}}, func(ctx context.Context, c *Caller, _ *air) {
		turn, err := c.Say(ctx, question())
		if err != nil || turn.Input != "push_to_talk" {
			t.Fatalf("%+v, %v", turn, err)
		}
	})
	if want := []string{"parley.talk.start", "parley.talk.stop"}; !slices.Equal(b.got, want) {
		t.Errorf("events: got %v, want %v", b.got, want)
	}
	want := `{"audio":{"input":{"turn_detection":null}},"instructions":"Be brief."}`
	if got := string(b.joins[0].Session); got != want {
		t.Errorf("session: got %s, want %s", got, want)
	}
}

func TestWrite(t *testing.T) {
	b := answering()
	inFakeTime(t, b, Options{}, func(ctx context.Context, c *Caller, _ *air) {
		turn, err := c.Write(ctx, "hello")
		if err != nil || turn.Input != "text" || turn.Said != "hello" || turn.Transcript != "hello" || turn.Reply == "" {
			t.Fatalf("%+v, %v", turn, err)
		}
		near(t, "latency", turn.Latency, 0, 40*ms)
	})
	if want := []string{"conversation.item.create", "response.create"}; !slices.Equal(b.got, want) {
		t.Errorf("events: got %v, want %v", b.got, want)
	}
}

func TestSayAndInterrupt(t *testing.T) {
	b := answering()
	b.answer = hum("long answer", 0, 5*time.Second, 0)
	inFakeTime(t, b, Options{}, func(ctx context.Context, c *Caller, _ *air) {
		got, err := c.SayAndInterrupt(ctx, question(), question(), 700*ms)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Stopped || !got.Decided || !got.First.Answered || !got.Second.Answered {
			t.Errorf("got %+v", got)
		}
		near(t, "onset to silence", got.OnsetToSilence, 0, 40*ms)
		near(t, "decision to silence", got.DecisionToSilence, -20*ms, 20*ms)
		near(t, "first answer", got.First.ReplyLength, 700*ms, 900*ms)
		near(t, "second answer", got.Second.ReplyLength, 4980*ms, 4980*ms)
		near(t, "second latency", got.Second.Latency, 200*ms, 240*ms)
		if got.First.Status != "cancelled" || got.Second.Status != "completed" {
			t.Errorf("statuses %q, %q", got.First.Status, got.Second.Status)
		}
	})
}

// An answer that begins in a pause of the caller's and stops when they go on is
// not the answer; one that goes on regardless is, and its latency is negative.
func TestAnswersBegunTooEarly(t *testing.T) {
	half := question()
	two := &Clip{Name: "two halves", first: half.first, last: half.frames() + half.last}
	two.packets = append(slices.Clone(half.packets[:half.frames()]), half.packets...)
	inFakeTime(t, answering(), Options{}, func(ctx context.Context, c *Caller, _ *air) {
		turn, err := c.Say(ctx, two)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "after the second half", turn.Latency, 200*ms, 240*ms)
	})
	b := answering()
	b.silence = 20 * ms // answers into the clip's last frames and does not listen meanwhile
	b.answer = hum("answer", 0, 2*time.Second, 0)
	eager := hum("eager", 0, 200*ms, 100*ms)
	eager.last += 5 // as if its speech had gone on, too softly for the bot
	inFakeTime(t, b, Options{}, func(ctx context.Context, c *Caller, _ *air) {
		turn, err := c.Say(ctx, eager)
		if err != nil || turn.Latency >= 0 {
			t.Errorf("latency %v, %v", turn.Latency, err)
		}
	})
}

func TestUnanswered(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		change       func(*bot)
		within       time.Duration
	}{
		{"deaf", "did not notice any speech", func(b *bot) { b.deaf = true; b.got = nil }, 15 * time.Second},
		{"mindless", "understood “what time is it”, but did not begin", func(b *bot) { b.answer = nil }, 15 * time.Second},
		{"mute", "no sound of it arrived", func(b *bot) { b.mute = true }, 15 * time.Second},
		{"failing", "The language model is down.", func(b *bot) { b.failing = true }, 3 * time.Second},
		{"silent without events", "no sound came back within 15s", func(b *bot) { b.dumb, b.answer = true, nil }, 15 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := answering()
			c.change(b)
			inFakeTime(t, b, Options{}, func(ctx context.Context, call *Caller, _ *air) {
				if c.name == "deaf" { // it does send events, only not about speech
					call.story.talks = true
				}
				began := time.Now()
				turn, err := call.Say(ctx, question())
				if ClassOf(err) != Unanswered || !strings.Contains(turn.Reason, c.reason) || turn.Answered {
					t.Errorf("got %v, reason %q; want %q", err, turn.Reason, c.reason)
				}
				near(t, "given up", time.Since(began), 0, c.within+2*time.Second)
			})
		})
	}
}

func TestCallIsLost(t *testing.T) {
	t.Run("parley says goodbye", func(t *testing.T) {
		b := answering()
		b.hangs = true
		inFakeTime(t, b, Options{}, func(ctx context.Context, c *Caller, _ *air) {
			turn, err := c.Say(ctx, question())
			if ClassOf(err) != CallLost || !strings.Contains(err.Error(), "shutdown") || turn.Reason == "" {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("the network dies", func(t *testing.T) {
		inFakeTime(t, answering(), Options{}, func(ctx context.Context, c *Caller, a *air) {
			a.dead = true
			c.DropSocket()
			began := time.Now()
			if _, err := c.Say(ctx, question()); ClassOf(err) != CallLost {
				t.Errorf("got %v", err)
			}
			near(t, "noticed", time.Since(began), 3*time.Second, 8*time.Second)
			if _, err := c.Write(ctx, "hello"); ClassOf(err) != CallLost {
				t.Errorf("after the loss: got %v", err)
			}
		})
	})
	t.Run("the caller gives up", func(t *testing.T) {
		inFakeTime(t, answering(), Options{}, func(ctx context.Context, c *Caller, _ *air) {
			ctx, cancel := context.WithTimeout(ctx, 100*ms)
			defer cancel()
			if _, err := c.Say(ctx, question()); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	})
}

// A lost socket is no lost call: media goes on, and a new socket takes over.
func TestResume(t *testing.T) {
	b := answering()
	inFakeTime(t, b, Options{}, func(ctx context.Context, c *Caller, _ *air) {
		c.DropSocket()
		if _, err := c.Say(ctx, question()); err != nil {
			t.Errorf("without a socket: %v", err)
		}
		for range 2 {
			if resumed, err := c.Resume(ctx); err != nil || !resumed {
				t.Fatalf("resumed %v, %v", resumed, err)
			}
			if _, err := c.Say(ctx, question()); err != nil {
				t.Errorf("after resuming: %v", err)
			}
		}
	})
	var tokens []string
	for _, j := range b.joins {
		tokens = append(tokens, j.Resume)
	}
	if want := []string{"", "token1", "token2"}; !slices.Equal(tokens, want) {
		t.Errorf("tokens shown: got %q, want %q", tokens, want)
	}
}

func TestSilentClipIsRefused(t *testing.T) {
	inFakeTime(t, answering(), Options{}, func(ctx context.Context, c *Caller, _ *air) {
		if _, err := c.Say(ctx, hum("nothing", 0, 0, 200*ms)); ClassOf(err) != BadAudio {
			t.Errorf("got %v", err)
		}
	})
}
