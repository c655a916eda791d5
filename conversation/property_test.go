package conversation

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/internal/fault"
	"parley/llm"
	"parley/stt"
)

// world plays everyone around the state machine: callers who do anything at any
// time, recognisers, models and voices that answer late, twice, wrongly or
// not at all. It checks the invariants as events come out.
type world struct {
	t       *rapid.T
	state   *state
	now     time.Time
	opened  map[int]bool // turns
	ended   map[int]int
	replies map[int]string // "active", "stopped", "ended"
	audio   map[int]string // utterances: "open", "closed"
	heard   []string       // of ended replies, in order
}

func newWorld(t *rapid.T) *world {
	return &world{
		t: t, state: newState(DefaultSession()), now: time.Unix(1000, 0),
		opened: map[int]bool{}, ended: map[int]int{}, replies: map[int]string{}, audio: map[int]string{},
	}
}

func (w *world) give(in Input) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 400).Draw(w.t, "ms")) * time.Millisecond)
	for _, e := range step(w.state, in, w.now) {
		w.check(e)
	}
}

func (w *world) check(e effect) {
	switch e := e.(type) {
	case emit:
		w.checkEvent(e.event)
	case openUtterance:
		for n, s := range w.audio {
			if s == "open" {
				w.t.Fatalf("turn %d listens while turn %d does", e.turn, n)
			}
		}
		w.audio[e.turn] = "open"
	case closeUtterance:
		if w.audio[e.turn] != "open" {
			w.t.Fatalf("close of utterance %d, which is %q", e.turn, w.audio[e.turn])
		}
		w.audio[e.turn] = "closed"
	case dropUtterance:
		if w.audio[e.turn] == "" || w.audio[e.turn] == "dropped" {
			w.t.Fatalf("drop of utterance %d, which is %q", e.turn, w.audio[e.turn])
		}
		w.audio[e.turn] = "dropped"
	case startReply:
		if last := len(e.prompt.Messages); e.fixed == "" && last > 0 && e.prompt.Messages[last-1].Text == "" {
			w.t.Fatalf("empty message in the prompt")
		}
	case stopReply:
		if w.replies[e.reply] != "active" {
			w.t.Fatalf("stop of reply %d, which is %q", e.reply, w.replies[e.reply])
		}
		w.replies[e.reply] = "stopped"
	}
}

func (w *world) checkEvent(e Event) {
	live := func(reply int, what string) {
		if w.replies[reply] != "active" {
			w.t.Fatalf("%s of reply %d, which is %q", what, reply, w.replies[reply])
		}
	}
	switch e := e.(type) {
	case SpeechStarted:
		w.open(e.Turn)
	case TextReceived:
		w.open(e.Turn)
	case ReplyStarted:
		for n, s := range w.replies {
			if s != "ended" {
				w.t.Fatalf("reply %d starts while reply %d is %s", e.Reply, n, s)
			}
		}
		if w.replies[e.Reply] != "" {
			w.t.Fatalf("reply %d starts twice", e.Reply)
		}
		w.replies[e.Reply] = "active"
		w.opened[e.Turn] = true // timers and requests open theirs silently
	case ReplyText:
		live(e.Reply, "text")
	case PlaybackStarted:
		live(e.Reply, "playback")
	case PlaybackProgress:
		live(e.Reply, "progress")
	case ReplyEnded:
		if s := w.replies[e.Reply]; s != "active" && s != "stopped" {
			w.t.Fatalf("end of reply %d, which is %q", e.Reply, s)
		}
		w.replies[e.Reply] = "ended"
		w.heard = append(w.heard, e.Heard)
	case TurnEnded:
		w.ended[e.Turn]++
		if w.ended[e.Turn] > 1 {
			w.t.Fatalf("turn %d ended twice", e.Turn)
		}
	}
}

func (w *world) open(turn int) {
	if w.opened[turn] {
		w.t.Fatalf("turn %d opened twice", turn)
	}
	w.opened[turn] = true
}

// anyInput draws one thing that may happen, sensible or stale.
func (w *world) anyInput() Input {
	n := func(name string, top int) int { return rapid.IntRange(max(1, top-2), top+1).Draw(w.t, name) }
	turn, reply := func() int { return n("turn", w.state.lastTurn) }, func() int { return n("reply", w.state.lastReply) }
	text := func() string { return rapid.SampledFrom([]string{"", "hello", "one two three"}).Draw(w.t, "text") }
	played := Played{Sent: time.Second, Heard: time.Duration(rapid.IntRange(0, 1000).Draw(w.t, "heard")) * time.Millisecond}
	mode := rapid.SampledFrom([]Mode{HandsFree, PushToTalk}).Draw(w.t, "mode")
	flag := rapid.Bool().Draw(w.t, "flag")
	failure := rapid.SampledFrom([]error{nil, errors.New("x"), fault.New(fault.Stalled, "y", nil)}).Draw(w.t, "err")
	return rapid.SampledFrom([]func() Input{
		func() Input { return speechBegan{media: time.Second, arrived: w.now} },
		func() Input { return speechEnded{media: time.Second, arrived: w.now, forced: flag} },
		func() Input { return Press{} },
		func() Input { return Release{} },
		func() Input { return Commit{} },
		func() Input { return ClearInput{} },
		func() Input { return tailEnded{turn: turn(), arrived: w.now} },
		func() Input {
			return transcribed{turn: turn(), result: stt.Transcript{Text: text(), Final: flag}, voiced: time.Second}
		},
		func() Input { return transcriptionFailed{turn(), errors.New("no")} },
		func() Input { return AddText{Text: text()} },
		func() Input { return CreateReply{} },
		func() Input { return CancelReply{} },
		func() Input { return ClearOutput{} },
		func() Input { return Heard{Reply: reply(), Delay: 40 * time.Millisecond} },
		func() Input { return Configure{Patch: SessionPatch{Mode: &mode, AutoReply: &flag, Interrupt: &flag}} },
		func() Input { return replyText{reply(), "some words to say"} },
		func() Input { return clauseReady{reply(), "some words"} },
		func() Input { return generated{reply: reply(), err: failure, said: "sorry"} },
		func() Input { return voiceMark{reply: reply(), clause: "some words", at: 0} },
		func() Input { return audioReady{reply()} },
		func() Input { return packetSent{reply(), w.now} },
		func() Input { return voiceStop{reply(), errors.New("mute")} },
		func() Input { return replyReturned{reply: w.activeReply(), played: played, total: time.Second} },
		func() Input {
			return replyAction{reply(), llm.Action{Name: llm.ActionSetTimer, Args: []byte(`{"seconds":1}`)}}
		},
		func() Input { return tick{played: played} },
	}).Draw(w.t, "input")()
}

func (w *world) activeReply() int {
	if w.state.reply != nil {
		return w.state.reply.n
	}
	return 0
}

// Whatever happens, in whatever order: one active reply at most; one end per
// start, for turns and replies; nothing of a reply after it was stopped; and
// history holds just what was heard.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		for range rapid.IntRange(1, 250).Draw(rt, "steps") {
			w.give(w.anyInput())
			if len(w.state.turns) > maxOpenTurns+maxTimers || len(w.state.history) > maxHistory {
				rt.Fatalf("unbounded: %d turns, %d messages", len(w.state.turns), len(w.state.history))
			}
		}
		w.finish()
	})
}

// finish lets all outstanding work return, hangs up, and checks the accounts.
func (w *world) finish() {
	for range 3 * (maxOpenTurns + maxTimers) {
		for _, t := range slices.Clone(w.state.turns) {
			switch t.phase {
			case hearing:
				w.give(speechEnded{arrived: w.now, forced: true})
			case tailing:
				w.give(tailEnded{turn: t.n, arrived: w.now})
			case transcribing:
				w.give(transcribed{turn: t.n, result: stt.Transcript{Text: "x", Final: true}})
			}
		}
		if n := w.activeReply(); n > 0 {
			w.give(replyReturned{reply: n})
		}
	}
	if len(w.state.turns) > 1 || w.state.reply != nil {
		w.t.Fatalf("stuck: %d turns open, reply %v", len(w.state.turns), w.state.reply)
	}
	w.give(HangUp{Cause: "test"})
	for n := 1; n <= w.state.lastTurn; n++ {
		if w.ended[n] != 1 {
			w.t.Fatalf("turn %d ended %d times", n, w.ended[n])
		}
	}
	for n := 1; n <= w.state.lastReply; n++ {
		if w.replies[n] != "ended" {
			w.t.Fatalf("reply %d is %q", n, w.replies[n])
		}
	}
	w.checkHistory()
}

func (w *world) checkHistory() {
	var heard []string
	for _, h := range w.heard {
		if h != "" {
			heard = append(heard, h)
		}
	}
	var kept []string
	for _, m := range w.state.history {
		if m.Role == llm.Assistant {
			kept = append(kept, m.Text)
		}
	}
	if tail := heard[max(0, len(heard)-len(kept)):]; fmt.Sprint(tail) != fmt.Sprint(kept) {
		w.t.Fatalf("history keeps %q, heard was %q", kept, tail)
	}
}
