package realtime

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parley/conversation"
	"parley/internal/fault"
)

// seen is a server event as a strict client reads it.
type seen struct {
	Type       string `json:"type"`
	EventID    string `json:"event_id"`
	ItemID     string `json:"item_id"`
	ResponseID string `json:"response_id"`
	Previous   string `json:"previous_item_id"`
	Transcript string `json:"transcript"`
	Item       struct {
		ID      string                       `json:"id"`
		Status  string                       `json:"status"`
		Role    string                       `json:"role"`
		Content []map[string]json.RawMessage `json:"content"`
	} `json:"item"`
	Part     map[string]json.RawMessage `json:"part"`
	Response struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	} `json:"response"`
	Error struct {
		Code    string  `json:"code"`
		EventID *string `json:"event_id"`
	} `json:"error"`
}

func parse(t interface{ Fatalf(string, ...any) }, lines [][]byte) []seen {
	var out []seen
	for _, line := range lines {
		var s seen
		if err := json.Unmarshal(line, &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		out = append(out, s)
	}
	return out
}

func encodeAll(e *Encoder, events []conversation.Event) [][]byte {
	var lines [][]byte
	for _, ev := range events {
		lines = append(lines, e.Encode(conversation.Envelope{Event: ev})...)
	}
	return lines
}

// strict holds what stock clients insist on beyond JSON: see docs/protocol.md.
func strict(t interface{ Fatalf(string, ...any) }, events []seen) {
	ids := map[string]bool{}
	for _, ev := range events {
		if ev.Type == "" || ev.EventID == "" || ids[ev.EventID] {
			t.Fatalf("%s: event_id %q is missing or not unique", ev.Type, ev.EventID)
		}
		ids[ev.EventID] = true
		if ev.Part != nil && !slices.Contains([]string{`"audio"`, `"text"`}, string(ev.Part["type"])) {
			t.Fatalf("%s: part of the type %s", ev.Type, ev.Part["type"])
		}
		for key, value := range ev.Part {
			if string(value) == "null" {
				t.Fatalf("%s: part.%s is null", ev.Type, key)
			}
		}
		for _, c := range ev.Item.Content {
			if _, ok := c["transcript"]; !ok && string(c["type"]) == `"input_audio"` {
				t.Fatalf("%s: input_audio without a transcript key", ev.Type)
			}
		}
		if ev.Type == "conversation.item.created" {
			t.Fatalf("the legacy name %s", ev.Type)
		}
	}
}

func TestStrictClientsAccept(t *testing.T) {
	for name, events := range scripts() {
		t.Run(name, func(t *testing.T) {
			e := NewEncoder("c", Names{})
			lines := encodeAll(e, events)
			lines = append(lines, e.Replay()...)
			strict(t, parse(t, lines))
		})
	}
}

func TestReplayAndRetrieve(t *testing.T) {
	e := NewEncoder("c", Names{})
	encodeAll(e, scripts()["barge_in"])
	encodeAll(e, []conversation.Event{
		conversation.ReplyStarted{Turn: 2, Reply: 2},
		conversation.ReplyText{Turn: 2, Reply: 2, Delta: "As you"},
	})
	var got []string
	for _, ev := range parse(t, e.Replay()) {
		text := ""
		if len(ev.Item.Content) > 0 {
			text = string(ev.Item.Content[0]["transcript"])
		}
		got = append(got, strings.TrimSpace(fmt.Sprint(ev.Type, " ", ev.Item.ID, " ", ev.Item.Status, " ", text, " after:", ev.Previous)))
	}
	want := []string{
		"session.updated    after:",
		`conversation.item.added item_c_u1 completed "Tell me a story." after:`,
		`conversation.item.done item_c_u1 completed "Tell me a story." after:`,
		`conversation.item.added item_c_a1 incomplete "Once upon a time" after:item_c_u1`,
		`conversation.item.done item_c_a1 incomplete "Once upon a time" after:item_c_u1`,
		`conversation.item.added item_c_u2 completed "Stop." after:item_c_a1`,
		`conversation.item.done item_c_u2 completed "Stop." after:item_c_a1`,
		`conversation.item.added item_c_a2 in_progress "As you" after:item_c_u2`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("replay:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	if id := e.ActiveResponse(); id != "resp_c_2" {
		t.Errorf("active response: got %q", id)
	}
	if ev := parse(t, e.Retrieve("item_c_a1", "r"))[0]; ev.Type != "conversation.item.retrieved" || string(ev.Item.Content[0]["transcript"]) != `"Once upon a time"` {
		t.Errorf("retrieve: got %+v", ev)
	}
	if ev := parse(t, e.Retrieve("item_x", "r"))[0]; ev.Error.Code != "item_not_found" || *ev.Error.EventID != "r" {
		t.Errorf("retrieve of nothing: got %+v", ev)
	}
}

func TestCleared(t *testing.T) {
	e := NewEncoder("c", Names{})
	if ev := parse(t, e.Cleared()); len(ev) != 1 || ev[0].Type != "input_audio_buffer.cleared" {
		t.Errorf("in silence: got %v", ev)
	}
	encodeAll(e, []conversation.Event{conversation.SpeechStarted{Turn: 1}})
	if ev := e.Cleared(); len(ev) != 0 {
		t.Errorf("in speech: got %s", ev)
	}
	encodeAll(e, []conversation.Event{conversation.InputDiscarded{Turn: 1}})
	if ev := e.Cleared(); len(ev) != 1 {
		t.Errorf("after speech: got %s", ev)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	e := NewEncoder("c", Names{})
	for turn := range 3 * keepItems {
		encodeAll(e, []conversation.Event{conversation.TextReceived{Turn: turn + 1, Text: "x"}})
	}
	replay := parse(t, e.Replay())
	if len(replay) != 1+2*keepItems {
		t.Errorf("replay: got %d events", len(replay))
	}
	if last := replay[len(replay)-1].Item.ID; last != fmt.Sprintf("item_c_u%d", 3*keepItems) {
		t.Errorf("last item: got %s", last)
	}
	if len(e.turns) > keepTurns || len(e.replies) > keepTurns {
		t.Errorf("kept %d turns, %d replies", len(e.turns), len(e.replies))
	}
}

func TestFailureSentences(t *testing.T) {
	for _, stage := range []conversation.Stage{conversation.StageSTT, conversation.StageLLM, conversation.StageTTS, ""} {
		for _, kind := range []fault.Kind{fault.Failed, fault.Unreachable, fault.Unauthorized, fault.RateLimited, fault.Stalled, fault.Misconfigured, fault.BadInput, fault.Overloaded} {
			if s := failureSentence(stage, kind); !strings.HasPrefix(s, "The ") || !strings.HasSuffix(s, ".") {
				t.Errorf("%s, %s: got %q", stage, kind, s)
			}
		}
	}
	e := NewEncoder("c", Names{})
	if ev := e.Encode(conversation.Envelope{Event: conversation.StageFailed{Kind: fault.Canceled}}); len(ev) != 0 {
		t.Errorf("a cancelled stage: got %s", ev)
	}
}

// drawEvent makes any event about one of a few turns, in any order.
func drawEvent(rt *rapid.T) conversation.Event {
	turn := rapid.IntRange(1, 4).Draw(rt, "turn")
	text := rapid.SampledFrom([]string{"", "a", "a b"}).Draw(rt, "text")
	session := spoken()
	session.Speak = rapid.Bool().Draw(rt, "speak")
	return rapid.SampledFrom([]conversation.Event{
		conversation.SessionChanged{Session: session},
		conversation.SpeechStarted{Turn: turn}, conversation.SpeechStopped{Turn: turn},
		conversation.InputCommitted{Turn: turn}, conversation.InputDiscarded{Turn: turn},
		conversation.Transcribed{Turn: turn, Text: text}, conversation.Transcribed{Turn: turn, Text: text, Final: true},
		conversation.ReplyStarted{Turn: turn, Reply: turn}, conversation.ReplyText{Turn: turn, Reply: turn, Delta: text},
		conversation.ReplyTextDone{Turn: turn, Reply: turn, Text: text},
		conversation.PlaybackStarted{Turn: turn, Reply: turn}, conversation.PlaybackProgress{Turn: turn, Reply: turn, Heard: text},
		conversation.PlaybackStopped{Turn: turn, Reply: turn}, conversation.PlaybackStopped{Turn: turn, Reply: turn, Flushed: true},
		conversation.ReplyEnded{Turn: turn, Reply: turn, Status: conversation.Completed, Generated: text, Heard: text},
		conversation.ReplyEnded{Turn: turn, Reply: turn, Status: conversation.Cancelled, Reason: "turn_detected", Generated: text},
		conversation.StageFailed{Turn: turn, Stage: conversation.StageSTT, Kind: fault.Failed},
		conversation.TurnEnded{Turn: turn, Status: conversation.Completed}, conversation.TimelineChanged{Turn: turn, Timeline: marks()},
		conversation.Dropped{Queue: "events", Count: 1},
	}).Draw(rt, "event")
}

// Whatever the conversation says, and whatever of it is lost: what is opened on
// the wire is closed once, by the end of the call, and strict clients agree.
func TestWhatIsOpenedIsClosedOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := NewEncoder("c", Names{})
		started := map[int]bool{}
		events := []conversation.Event{conversation.CallStarted{Session: spoken()}}
		for range rapid.IntRange(0, 40).Draw(rt, "count") {
			ev := drawEvent(rt)
			if s, ok := ev.(conversation.ReplyStarted); ok {
				if started[s.Reply] {
					continue // numbers are not used twice
				}
				started[s.Reply] = true
			}
			events = append(events, ev)
		}
		events = append(events, conversation.CallEnded{Cause: "hang_up"})
		all := parse(rt, encodeAll(e, events))
		strict(rt, all)
		opens := map[string]string{
			"response.created": "response.done", "response.output_item.added": "response.output_item.done",
			"response.content_part.added": "response.content_part.done", "output_audio_buffer.started": "output_audio_buffer.ended",
			"conversation.item.added": "conversation.item.done",
		}
		closes := map[string]bool{}
		for _, c := range opens {
			closes[c] = true
		}
		open := map[string]bool{}
		for _, ev := range all {
			kind := ev.Type
			if kind == "output_audio_buffer.stopped" || kind == "output_audio_buffer.cleared" {
				kind = "output_audio_buffer.ended"
			}
			id := ev.ResponseID + ev.Response.ID
			if strings.HasPrefix(kind, "conversation.") {
				id = ev.Item.ID
			}
			if c := opens[kind]; c != "" {
				if open[c+id] {
					rt.Fatalf("%s %s twice", kind, id)
				}
				open[c+id] = true
			} else if closes[kind] {
				if !open[kind+id] {
					rt.Fatalf("%s %s closes nothing", kind, id)
				}
				delete(open, kind+id)
			}
		}
		if len(open) > 0 {
			rt.Fatalf("not closed: %v", open)
		}
	})
}
