package realtime

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/conversation"
	"parley/internal/fault"
	"parley/internal/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

const ms = time.Millisecond

func spoken() conversation.Session {
	return conversation.Session{
		Mode: conversation.HandsFree, Instructions: "Be brief.", Language: "en", Silence: 500 * ms, Prefix: 300 * ms,
		Threshold: 0.5, AutoReply: true, Interrupt: true, Speak: true,
	}
}

func marks() timeline.Timeline {
	var t timeline.Timeline
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	t.Set(timeline.SpeechEnded, at)
	t.Set(timeline.EndpointDecided, at.Add(200*ms))
	t.Set(timeline.FirstPacketSent, at.Add(205*ms))
	return t
}

// user is the caller's half of a spoken turn, up to its words.
func user(turn int, text string) []conversation.Event {
	return []conversation.Event{
		conversation.SpeechStarted{Turn: turn, Media: 1200 * ms},
		conversation.Transcribed{Turn: turn, Text: text[:4]},
		conversation.SpeechStopped{Turn: turn, Media: 2400 * ms},
		conversation.InputCommitted{Turn: turn},
		conversation.Transcribed{Turn: turn, Text: text, Final: true, Audio: 1500 * ms},
	}
}

func join(parts ...[]conversation.Event) []conversation.Event {
	all := []conversation.Event{conversation.CallStarted{Session: spoken(), Client: "test"}}
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// scripts are whole turns, as a conversation tells them.
func scripts() map[string][]conversation.Event {
	all := goodTurns()
	maps.Copy(all, badTurns())
	return all
}

// goodTurns come to their end, or are cut off by the caller.
func goodTurns() map[string][]conversation.Event {
	mute, held := spoken(), spoken()
	mute.Speak = false
	held.Mode = conversation.PushToTalk
	return map[string][]conversation.Event{
		"voice": join(user(1, "What time is it?"), []conversation.Event{
			conversation.ReplyStarted{Turn: 1, Reply: 1},
			conversation.ReplyText{Turn: 1, Reply: 1, Delta: "It is "},
			conversation.ReplyText{Turn: 1, Reply: 1, Delta: "noon."},
			conversation.ReplyTextDone{Turn: 1, Reply: 1, Text: "It is noon."},
			conversation.PlaybackStarted{Turn: 1, Reply: 1},
			conversation.TimelineChanged{Turn: 1, Timeline: marks()},
			conversation.PlaybackProgress{Turn: 1, Reply: 1, Heard: "It is", Position: 400 * ms},
			conversation.PlaybackStopped{Turn: 1, Reply: 1},
			conversation.ReplyEnded{Turn: 1, Reply: 1, Status: conversation.Completed, Generated: "It is noon.", Heard: "It is noon.", Played: 900 * ms},
			conversation.TurnEnded{Turn: 1, Input: "speech", Status: conversation.Completed, User: "What time is it?", Heard: "It is noon.", Timeline: marks()},
			conversation.TimelineChanged{Turn: 1, Timeline: marks()},
			conversation.CallEnded{Cause: "hang_up"},
		}),
		"barge_in": join(user(1, "Tell me a story."), []conversation.Event{
			conversation.ReplyStarted{Turn: 1, Reply: 1},
			conversation.ReplyText{Turn: 1, Reply: 1, Delta: "Once upon a time there was a fox."},
			conversation.PlaybackStarted{Turn: 1, Reply: 1},
			conversation.PlaybackProgress{Turn: 1, Reply: 1, Heard: "Once upon", Position: 400 * ms},
			conversation.SpeechStarted{Turn: 2, Media: 5000 * ms},
			conversation.PlaybackStopped{Turn: 1, Reply: 1, Flushed: true},
			conversation.ReplyEnded{Turn: 1, Reply: 1, Status: conversation.Cancelled, Reason: "turn_detected",
				Generated: "Once upon a time there was a fox.", Heard: "Once upon a time", Played: 700 * ms},
			conversation.TurnEnded{Turn: 1, Input: "speech", Status: conversation.Cancelled, Reason: "turn_detected", User: "Tell me a story.", Heard: "Once upon a time"},
			conversation.SpeechStopped{Turn: 2, Media: 5600 * ms},
			conversation.InputCommitted{Turn: 2},
			conversation.Transcribed{Turn: 2, Text: "Stop.", Final: true, Audio: 600 * ms},
		}),
		"text_reply": join([]conversation.Event{
			conversation.SessionChanged{Session: mute},
			conversation.TextReceived{Turn: 1, Text: "Two <plus> two?"},
			conversation.InputCommitted{Turn: 1},
			conversation.ReplyStarted{Turn: 1, Reply: 1},
			conversation.ReplyText{Turn: 1, Reply: 1, Delta: "Four."},
			conversation.ReplyTextDone{Turn: 1, Reply: 1, Text: "Four."},
			conversation.ReplyEnded{Turn: 1, Reply: 1, Status: conversation.Completed, Generated: "Four.", Heard: "Four."},
			conversation.TurnEnded{Turn: 1, Input: "text", Status: conversation.Completed, User: "Two <plus> two?", Heard: "Four."},
		}),
		"text_cancelled": join([]conversation.Event{
			conversation.SessionChanged{Session: mute},
			conversation.TextReceived{Turn: 1, Text: "Count."},
			conversation.ReplyStarted{Turn: 1, Reply: 1},
			conversation.ReplyText{Turn: 1, Reply: 1, Delta: "One, two"},
			conversation.ReplyEnded{Turn: 1, Reply: 1, Status: conversation.Cancelled, Reason: "client_cancelled", Generated: "One, two", Heard: "One, two"},
		}),
		"push_to_talk": join([]conversation.Event{conversation.SessionChanged{Session: held}}, []conversation.Event{
			conversation.SpeechStarted{Turn: 1, Media: 700 * ms},
			conversation.Transcribed{Turn: 1, Text: "Set a timer", Final: true, Audio: 900 * ms}, // speculative: before its item
			conversation.SpeechStopped{Turn: 1, Media: 1600 * ms},
			conversation.InputCommitted{Turn: 1},
			conversation.ReplyStarted{Turn: 1, Reply: 1},
			conversation.TimerSet{Label: "tea", Due: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
			conversation.ReplyText{Turn: 1, Reply: 1, Delta: "Done."},
			conversation.ReplyEnded{Turn: 1, Reply: 1, Status: conversation.Completed, Generated: "Done.", Heard: "Done."},
			conversation.TimerRang{Label: "tea"},
			conversation.Refused{Code: "input_audio_buffer_commit_empty", Message: "Nothing to commit.", Ref: "mine"},
			conversation.Dropped{Queue: "audio", Count: 3},
		}),
	}
}

// badTurns meet a part that fails, or nothing that was said.
func badTurns() map[string][]conversation.Event {
	return map[string][]conversation.Event{
		"failed": join(user(1, "Hello there."), []conversation.Event{
			conversation.ReplyStarted{Turn: 1, Reply: 1},
			conversation.StageFailed{Turn: 1, Stage: conversation.StageLLM, Kind: fault.Stalled, Err: errors.New("secret"), Spoken: "I lost my train of thought."},
			conversation.ReplyEnded{Turn: 1, Reply: 1, Status: conversation.Failed, Reason: "llm_stalled"},
			conversation.TurnEnded{Turn: 1, Input: "speech", Status: conversation.Failed, Reason: "llm_stalled", User: "Hello there."},
		}),
		"voice_failed": join(user(1, "Hello there."), []conversation.Event{
			conversation.ReplyStarted{Turn: 1, Reply: 1},
			conversation.ReplyText{Turn: 1, Reply: 1, Delta: "Hello to you too."},
			conversation.PlaybackStarted{Turn: 1, Reply: 1},
			conversation.StageFailed{Turn: 1, Stage: conversation.StageTTS, Kind: fault.Unreachable, Err: errors.New("secret")},
			conversation.PlaybackStopped{Turn: 1, Reply: 1},
			conversation.ReplyEnded{Turn: 1, Reply: 1, Status: conversation.Failed, Reason: "tts_unreachable",
				Generated: "Hello to you too.", Heard: "Hello", Played: 300 * ms},
		}),
		"not_understood": join([]conversation.Event{
			conversation.SpeechStarted{Turn: 1, Media: 100 * ms},
			conversation.StageFailed{Turn: 1, Stage: conversation.StageSTT, Kind: fault.Unauthorized, Err: errors.New("secret"), Spoken: "I cannot hear you."},
			conversation.SpeechStopped{Turn: 1, Media: 900 * ms},
			conversation.InputCommitted{Turn: 1},
			conversation.TurnEnded{Turn: 1, Input: "speech", Status: conversation.Failed, Reason: "stt_unauthorized"},
		}),
		"discarded": join([]conversation.Event{
			conversation.SpeechStarted{Turn: 1},
			conversation.InputDiscarded{Turn: 1, Reason: "too_short"},
			conversation.SpeechStarted{Turn: 2, Media: 800 * ms},
			conversation.SpeechStopped{Turn: 2, Media: 900 * ms},
			conversation.InputCommitted{Turn: 2},
			conversation.InputDiscarded{Turn: 2, Reason: "no_speech"},
			conversation.TurnEnded{Turn: 2, Input: "speech", Status: conversation.Cancelled, Reason: "no_speech"},
		}),
	}
}

func TestGolden(t *testing.T) {
	for name, events := range scripts() {
		t.Run(name, func(t *testing.T) {
			e := NewEncoder("c1", Names{})
			var got bytes.Buffer
			for _, ev := range events {
				for _, line := range e.Encode(conversation.Envelope{Call: "c1", Event: ev}) {
					got.Write(line)
					got.WriteByte('\n')
				}
			}
			path := filepath.Join("testdata", name+".jsonl")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			gotLines, wantLines := bytes.Split(got.Bytes(), []byte("\n")), bytes.Split(want, []byte("\n"))
			for i := range max(len(gotLines), len(wantLines)) {
				var g, w []byte
				if i < len(gotLines) {
					g = gotLines[i]
				}
				if i < len(wantLines) {
					w = wantLines[i]
				}
				if !bytes.Equal(g, w) {
					t.Fatalf("event %d:\n got %s\nwant %s", i+1, g, w)
				}
			}
		})
	}
}

// BenchmarkVoiceTurn is what the wire costs a whole spoken turn: 27 events.
func BenchmarkVoiceTurn(b *testing.B) {
	events := scripts()["voice"]
	b.ReportAllocs()
	for b.Loop() {
		e := NewEncoder("c1", Names{})
		for _, ev := range events {
			e.Encode(conversation.Envelope{Event: ev})
		}
	}
}
