package observe

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parley/conversation"
	"parley/internal/fault"
	"parley/internal/timeline"
)

func turn(status conversation.Status, secret string) conversation.TurnEnded {
	base := time.Unix(1700000000, 0)
	t := conversation.TurnEnded{Turn: 3, Input: "speech", Status: status, User: secret, Heard: secret}
	t.Timeline.Set(timeline.SpeechEnded, base)
	t.Timeline.Set(timeline.EndpointDecided, base.Add(200*time.Millisecond))
	t.Timeline.Set(timeline.FirstPacketSent, base.Add(260*time.Millisecond))
	return t
}

func events(secret string) []conversation.Event {
	return []conversation.Event{
		conversation.CallStarted{Client: "test", Session: conversation.DefaultSession()},
		conversation.Transcribed{Turn: 3, Text: secret, Final: true},
		conversation.StageFailed{Turn: 3, Stage: conversation.StageLLM, Kind: fault.Stalled, Err: errors.New("no token in time"), Spoken: secret},
		conversation.ReplyEnded{Turn: 3, Reply: 1, Status: conversation.Cancelled, Reason: "turn_detected", Heard: secret},
		conversation.Dropped{Queue: "frames", Count: 7},
		conversation.TimerSet{Label: secret}, conversation.TimerRang{Label: secret},
		turn(conversation.Completed, secret),
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg)
	Register(reg, Reading{Name: "parley_peers", Help: "Peers.", Value: func() float64 { return 2 }},
		Reading{Name: "parley_packets_total", Help: "Packets.", Counter: true, Value: func() float64 { return 9 }})
	for _, e := range events("x") {
		m.Consume(conversation.Envelope{Call: "c1", Event: e})
	}
	want := `
# HELP parley_conversations Calls that are up.
# TYPE parley_conversations gauge
parley_conversations 1
# HELP parley_dropped_total What bounded queues of calls threw away.
# TYPE parley_dropped_total counter
parley_dropped_total{queue="frames"} 7
# HELP parley_interruptions_total Replies that the caller spoke over.
# TYPE parley_interruptions_total counter
parley_interruptions_total 1
# HELP parley_packets_total Packets.
# TYPE parley_packets_total counter
parley_packets_total 9
# HELP parley_peers Peers.
# TYPE parley_peers gauge
parley_peers 2
# HELP parley_stage_failures_total Failures of the parts that listen, think and speak.
# TYPE parley_stage_failures_total counter
parley_stage_failures_total{kind="stalled",stage="llm"} 1
# HELP parley_turns_total Turns that ended.
# TYPE parley_turns_total counter
parley_turns_total{input="speech",reason="",status="completed"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "parley_conversations", "parley_dropped_total",
		"parley_interruptions_total", "parley_stage_failures_total", "parley_turns_total", "parley_peers", "parley_packets_total"); err != nil {
		t.Error(err)
	}
	if got := testutil.CollectAndCount(m.stages); got != len(timeline.StageNames()) {
		t.Errorf("%d stages", got)
	}
	m.Consume(conversation.Envelope{Call: "c1", Event: conversation.CallEnded{Cause: "hang_up"}})
	if got := m.live.Load(); got != 0 {
		t.Errorf("%d calls live after the end", got)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestLogTellsCausesButNotWords(t *testing.T) {
	var out bytes.Buffer
	log, err := NewLogger(&out, "auto", "info") // a buffer is no terminal: JSON
	if err != nil {
		t.Fatal(err)
	}
	l := NewLog(log)
	const canary = "canary-phrase"
	for _, e := range append(events(canary), conversation.CallEnded{Cause: "hang_up"}) {
		l.Consume(conversation.Envelope{Call: "c1", Event: e})
	}
	if strings.Contains(out.String(), canary) {
		t.Errorf("what was said is in the log:\n%s", out.String())
	}
	lines := map[string]map[string]any{}
	for line := range strings.Lines(out.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		lines[v["msg"].(string)] = v
	}
	if got := lines["turn ended"]; got["call"] != "c1" || got["endpointing_ms"] != 200.0 || got["send_ms"] != 60.0 {
		t.Errorf("turn ended: %v", got)
	}
	if got := lines["stage failed"]; got["kind"] != "stalled" || got["err"] != "no token in time" {
		t.Errorf("stage failed: %v", got)
	}
}

func TestNewLoggerRefuses(t *testing.T) {
	for _, tt := range []struct{ format, level string }{{"xml", "info"}, {"json", "loud"}} {
		if _, err := NewLogger(&bytes.Buffer{}, tt.format, tt.level); err == nil {
			t.Errorf("%v accepted", tt)
		}
	}
}
