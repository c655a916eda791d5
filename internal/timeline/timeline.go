// Package timeline is the clock face of a turn: the marks every turn leaves,
// the stages between them, and the one JSON form in which the page, the REST
// API, the store and the reports show them.
//
// May import: the standard library only.
// Concurrency: a Timeline is plain data and belongs to one goroutine at a time.
package timeline

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Mark is a moment in a turn.
type Mark uint8

// The marks, in the order in which a turn passes them.
const (
	SpeechStarted    Mark = iota // the caller began to speak
	SpeechEnded                  // arrival of the last packet that held speech; for text, its arrival
	EndpointDecided              // the turn is the assistant's
	STTFinal                     // the words are known
	LLMFirstToken                // the model's first piece of text
	LLMFirstClause               // enough text to begin to speak
	TTSFirstAudio                // the voice's first samples
	FirstPacketSent              // the reply's first RTP packet left
	FirstPacketHeard             // the caller's side played it, as reported or computed from RTCP
	ReplyEnded                   // the last packet of a reply that was not interrupted left
	Interrupted                  // the reply was cut off
	markCount
)

var markNames = [markCount]string{
	"speech_started", "speech_ended", "endpoint_decided", "stt_final",
	"llm_first_token", "llm_first_clause", "tts_first_audio",
	"first_packet_sent", "first_packet_heard", "reply_ended", "interrupted",
}

// String returns the mark's name on the wire.
func (m Mark) String() string {
	if m >= markCount {
		return fmt.Sprintf("mark(%d)", uint8(m))
	}
	return markNames[m]
}

// stageNames name the stretch that ends with each mark from EndpointDecided to
// FirstPacketHeard; the first begins at SpeechEnded.
var stageNames = [...]string{
	EndpointDecided:  "endpointing",
	STTFinal:         "stt",
	LLMFirstToken:    "llm_first_token",
	LLMFirstClause:   "llm_first_clause",
	TTSFirstAudio:    "tts_first_audio",
	FirstPacketSent:  "send",
	FirstPacketHeard: "network",
}

// StageNames returns the names of all stages in order.
func StageNames() []string { return append([]string(nil), stageNames[EndpointDecided:]...) }

// Timeline holds the marks of one turn. The zero value has none.
type Timeline struct{ at [markCount]time.Time }

// Set notes that m happened at t. The first time given for a mark stands.
func (t *Timeline) Set(m Mark, at time.Time) {
	if m < markCount && t.at[m].IsZero() {
		t.at[m] = at
	}
}

// At returns the time of m and whether it is known.
func (t *Timeline) At(m Mark) (time.Time, bool) {
	if m >= markCount {
		return time.Time{}, false
	}
	return t.at[m], !t.at[m].IsZero()
}

// Stage is the stretch between one mark and the next.
type Stage struct {
	Name     string
	Duration time.Duration
}

// Stages returns the consecutive stretches from SpeechEnded to the latest known
// mark up to FirstPacketHeard. They add up to Total: a mark that lies before an
// earlier one in the order (work done ahead of time) makes a stage of length 0,
// and an unknown mark makes none, so that its time falls to the next stage.
func (t *Timeline) Stages() []Stage {
	edge, ok := t.At(SpeechEnded)
	if !ok {
		return nil
	}
	var stages []Stage
	for m := EndpointDecided; m <= FirstPacketHeard; m++ {
		at, ok := t.At(m)
		if !ok {
			continue
		}
		d := max(0, at.Sub(edge))
		edge = edge.Add(d)
		stages = append(stages, Stage{Name: stageNames[m], Duration: d})
	}
	return stages
}

// Total is the time from SpeechEnded to the latest mark among the stages.
func (t *Timeline) Total() time.Duration {
	var sum time.Duration
	for _, s := range t.Stages() {
		sum += s.Duration
	}
	return sum
}

// ResponseTime is the time from SpeechEnded to FirstPacketSent: the server's
// whole share of the caller's wait, endpointing included.
func (t *Timeline) ResponseTime() (time.Duration, bool) {
	from, ok1 := t.At(SpeechEnded)
	to, ok2 := t.At(FirstPacketSent)
	return to.Sub(from), ok1 && ok2
}

type wireStage struct {
	Name string  `json:"name"`
	MS   float64 `json:"ms"`
}

type wire struct {
	Origin  time.Time          `json:"origin"`
	Marks   map[string]float64 `json:"marks_ms"`
	Stages  []wireStage        `json:"stages"`
	TotalMS float64            `json:"total_ms"`
}

// MarshalJSON writes the marks in milliseconds from origin, which is
// SpeechEnded or, where that is unknown, the earliest mark; the stages; and
// their sum. An empty timeline is null.
func (t Timeline) MarshalJSON() ([]byte, error) {
	origin, ok := t.origin()
	if !ok {
		return []byte("null"), nil
	}
	w := wire{Origin: origin.UTC().Round(0), Marks: map[string]float64{}, Stages: []wireStage{}}
	for m := range markCount {
		if at, ok := t.At(m); ok {
			w.Marks[m.String()] = milliseconds(at.Sub(origin))
		}
	}
	for _, s := range t.Stages() {
		w.Stages = append(w.Stages, wireStage{Name: s.Name, MS: milliseconds(s.Duration)})
	}
	w.TotalMS = milliseconds(t.Total())
	return json.Marshal(w)
}

// UnmarshalJSON reads what MarshalJSON wrote; stages and total follow from the marks.
func (t *Timeline) UnmarshalJSON(data []byte) error {
	*t = Timeline{}
	var w *wire
	if err := json.Unmarshal(data, &w); err != nil {
		return fmt.Errorf("timeline: read: %w", err)
	}
	if w == nil {
		return nil
	}
	for m := range markCount {
		if ms, ok := w.Marks[m.String()]; ok {
			t.at[m] = w.Origin.Add(time.Duration(math.Round(ms * float64(time.Millisecond))))
		}
	}
	return nil
}

func (t *Timeline) origin() (time.Time, bool) {
	if at, ok := t.At(SpeechEnded); ok {
		return at, true
	}
	var first time.Time
	for _, at := range t.at {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, !first.IsZero()
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}
