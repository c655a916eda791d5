package loadtest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"

	"parley/audio"
)

// inFakeTime runs a call with the bot on a virtual network, in a bubble.
func inFakeTime(t *testing.T, b *bot, o Options, run func(ctx context.Context, c *Caller)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()})
		must(err)
		nets := make([]*vnet.Net, 2)
		for i := range nets {
			nets[i], err = vnet.NewNet(&vnet.NetConfig{})
			must(err)
			must(router.AddNet(nets[i]))
		}
		must(router.Start())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		b.net, o.Net, o.Connect, o.URL = nets[0], nets[1], b.connector(ctx), "http://bot"
		c, err := Dial(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		run(ctx, c)
		c.Hangup()
		cancel()
		b.calls.Wait()
		must(router.Stop())
	})
}

func answering() *bot {
	return &bot{silence: 200 * time.Millisecond, answer: hum("answer", 0, 600*time.Millisecond, 0), words: "what time is it", reply: "It is four."}
}

func TestSay(t *testing.T) {
	inFakeTime(t, answering(), Options{Record: true}, func(ctx context.Context, c *Caller) {
		for range 2 {
			turn, err := c.Say(ctx, hum("question", 100*time.Millisecond, 400*time.Millisecond, 500*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			if turn.Latency < 200*time.Millisecond || turn.Latency > 245*time.Millisecond {
				t.Errorf("latency %v", turn.Latency)
			}
			if turn.Transcript != "what time is it" || turn.Reply != "It is four." || !turn.Answered || turn.Status != "completed" {
				t.Errorf("got %+v", turn)
			}
			if d := audio.SamplesToDuration(len(turn.Sound), turn.Rate); d != 600*time.Millisecond {
				t.Errorf("heard %v", d)
			}
			t.Log(turn.Latency, turn.FirstPacket, turn.ReplyLength, turn.Timeline.Stages())
		}
	})
}
