package conversation

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/audio"
	"parley/llm"
	"parley/stt"
)

// slow is a model that thinks for a while before it says text.
func slow(d time.Duration, text string) llm.Func {
	return func(ctx context.Context, p llm.Prompt) iter.Seq2[llm.Delta, error] {
		return func(yield func(llm.Delta, error) bool) {
			select {
			case <-time.After(d):
			case <-ctx.Done():
				return
			}
			says(text)(ctx, p)(yield)
		}
	}
}

// deafTo understands nothing of the nth utterance.
func deafTo(nth int) stt.Func {
	n := 0
	return func(ctx context.Context, speech iter.Seq[audio.Frame]) iter.Seq2[stt.Transcript, error] {
		n++
		if n != nth {
			return echoSTT(ctx, speech)
		}
		return func(yield func(stt.Transcript, error) bool) {
			for range speech {
			}
			yield(stt.Transcript{Final: true}, nil)
		}
	}
}

func heardOf(events []Envelope) (heard []string) {
	for _, r := range find[ReplyEnded](events) {
		if r.Heard != "" {
			heard = append(heard, r.Heard)
		}
	}
	return heard
}

func TestCoughWhileTheModelThinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, DefaultSession(), Parts{Transcriber: deafTo(2), Model: slow(time.Second, "Here it is.")})
		b.say(true, time.Second)
		b.say(false, 700*time.Millisecond) // the model thinks
		b.say(true, 100*time.Millisecond)
		b.say(false, 5*time.Second)
		if got := heardOf(b.finish(t)); len(got) != 1 || got[0] != "Here it is." {
			t.Errorf("heard %q", got)
		}
	})
}

func TestSpeechEndsWhenPacketsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, DefaultSession(), Parts{})
		b.say(true, time.Second)
		time.Sleep(10 * time.Second) // the microphone is gone
		b.Send(AddText{Text: "are you there"})
		b.Send(CreateReply{})
		time.Sleep(10 * time.Second)
		turns := find[TurnEnded](b.finish(t))
		if len(turns) != 2 || turns[0].User != "50 frames" || turns[1].User != "are you there" || turns[1].Status != Completed {
			t.Errorf("turns: %+v", turns)
		}
	})
}

func TestCancelThenCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, DefaultSession(), Parts{})
		b.Send(AddText{Text: "hello"})
		b.Send(CreateReply{})
		time.Sleep(500 * time.Millisecond)
		b.Send(CancelReply{})
		b.Send(CreateReply{})
		time.Sleep(10 * time.Second)
		replies := find[ReplyEnded](b.finish(t))
		if len(replies) != 2 || replies[0].Status != Cancelled || replies[1].Status != Completed {
			t.Errorf("replies: %+v", replies)
		}
	})
}

func TestTimerWaitsForTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := llm.Func(func(context.Context, llm.Prompt) iter.Seq2[llm.Delta, error] {
			return func(yield func(llm.Delta, error) bool) {
				_ = yield(llm.Delta{Action: &llm.Action{Name: llm.ActionSetTimer, Args: []byte(`{"seconds":2}`)}}, nil) &&
					yield(llm.Delta{Text: "Set."}, nil)
			}
		})
		b := start(t, DefaultSession(), Parts{Model: model})
		b.Send(AddText{Text: "two seconds"})
		b.Send(CreateReply{})
		synctest.Wait()
		b.say(false, time.Second)
		b.say(true, 3*time.Second) // it rings meanwhile
		b.say(false, 6*time.Second)
		speaking := false
		for _, e := range b.finish(t) {
			switch e.Event.(type) {
			case SpeechStarted:
				speaking = true
			case SpeechStopped:
				speaking = false
			case PlaybackStarted:
				if speaking {
					t.Error("parley spoke while the caller did")
				}
			}
		}
		if got := strings.Join(heardOf(b.events), "|"); !strings.Contains(got, timerDone) {
			t.Errorf("heard %q", got)
		}
	})
}

func TestLongSpeechIsCutAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, DefaultSession(), Parts{})
		b.say(true, 75*time.Second)
		b.say(false, 5*time.Second)
		turns := find[TurnEnded](b.finish(t))
		if len(turns) != 2 || turns[0].User != "3000 frames" || turns[0].Heard != "" || turns[1].Status != Completed {
			t.Errorf("turns: %+v", turns)
		}
	})
}

func TestPressHeldThroughModeSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := DefaultSession()
		s.Mode = PushToTalk
		b := start(t, s, Parts{})
		b.Send(Press{})
		b.say(true, time.Second)
		hands := HandsFree
		b.Send(Release{})
		b.Send(Configure{Patch: SessionPatch{Mode: &hands}}) // as the page does, in one breath
		b.say(false, 5*time.Second)
		if turns := find[TurnEnded](b.finish(t)); len(turns) != 1 || turns[0].Status != Completed || turns[0].Heard == "" {
			t.Errorf("turns: %+v", turns)
		}
	})
}
