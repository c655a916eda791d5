package timeline

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var base = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func sample() Timeline {
	var t Timeline
	t.Set(SpeechStarted, base.Add(-1200*time.Millisecond))
	t.Set(SpeechEnded, base)
	t.Set(EndpointDecided, base.Add(200*time.Millisecond))
	t.Set(STTFinal, base.Add(180*time.Millisecond)) // speculative: known before the decision
	t.Set(LLMFirstToken, base.Add(230*time.Millisecond))
	t.Set(LLMFirstClause, base.Add(240*time.Millisecond))
	t.Set(TTSFirstAudio, base.Add(250*time.Millisecond))
	t.Set(FirstPacketSent, base.Add(251*time.Millisecond))
	return t
}

func TestStages(t *testing.T) {
	tl := sample()
	want := map[string]time.Duration{
		"endpointing": 200 * time.Millisecond, "stt": 0, "llm_first_token": 30 * time.Millisecond,
		"llm_first_clause": 10 * time.Millisecond, "tts_first_audio": 10 * time.Millisecond, "send": time.Millisecond,
	}
	stages := tl.Stages()
	if len(stages) != len(want) {
		t.Fatalf("stages: got %v", stages)
	}
	for _, s := range stages {
		if s.Duration != want[s.Name] {
			t.Errorf("%s: got %v, want %v", s.Name, s.Duration, want[s.Name])
		}
	}
	if got := tl.Total(); got != 251*time.Millisecond {
		t.Errorf("total: got %v", got)
	}
	if got, ok := tl.ResponseTime(); !ok || got != 251*time.Millisecond {
		t.Errorf("response time: got %v, %v", got, ok)
	}
}

func TestFirstTimeStands(t *testing.T) {
	var tl Timeline
	tl.Set(STTFinal, base)
	tl.Set(STTFinal, base.Add(time.Second))
	if at, _ := tl.At(STTFinal); !at.Equal(base) {
		t.Errorf("got %v", at)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	tl := sample()
	data, err := json.Marshal(tl)
	if err != nil {
		t.Fatal(err)
	}
	var back Timeline
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if back != tl {
		t.Errorf("got %+v, want %+v", back, tl)
	}
	if data, _ := json.Marshal(Timeline{}); string(data) != "null" {
		t.Errorf("empty: got %s", data)
	}
}

// The stages add up to the distance from the first to the latest stage mark,
// whichever marks are present and in whatever order they came.
func TestStagesAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var tl Timeline
		tl.Set(SpeechEnded, base)
		latest := base
		for m := EndpointDecided; m <= FirstPacketHeard; m++ {
			if !rapid.Bool().Draw(rt, m.String()) {
				continue
			}
			at := base.Add(time.Duration(rapid.IntRange(-500, 3000).Draw(rt, "ms")) * time.Millisecond)
			tl.Set(m, at)
			if at.After(latest) {
				latest = at
			}
		}
		var sum time.Duration
		for _, s := range tl.Stages() {
			if s.Duration < 0 {
				rt.Fatalf("negative stage %v", s)
			}
			sum += s.Duration
		}
		if sum != tl.Total() || sum != latest.Sub(base) {
			rt.Fatalf("sum %v, total %v, latest %v", sum, tl.Total(), latest.Sub(base))
		}
	})
}
