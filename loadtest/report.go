package loadtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"parley/internal/timeline"
)

// Report is the JSON document of RunCall. Times are in milliseconds.
type Report struct {
	URL        string       `json:"url"`
	Call       string       `json:"call,omitempty"`
	ConnectMS  float64      `json:"connect_ms,omitempty"`
	Turns      []TurnReport `json:"turns"`
	Answered   int          `json:"answered"`
	Unanswered int          `json:"unanswered"`
	Latency    *Spread      `json:"latency_ms,omitempty"` // of the answered turns
	Error      *ErrorReport `json:"error,omitempty"`
}

// TurnReport is a Turn as a document. Total is Turn.Latency.
type TurnReport struct {
	Turn          int                `json:"turn"`
	Input         string             `json:"input"`
	Said          string             `json:"said"`
	Transcript    string             `json:"transcript"`
	Reply         string             `json:"reply"`
	Answered      bool               `json:"answered"`
	Reason        string             `json:"reason,omitempty"`
	Status        string             `json:"status,omitempty"`
	LatencyMS     float64            `json:"latency_ms"`
	FirstPacketMS float64            `json:"first_packet_ms"`
	ReplyMS       float64            `json:"reply_ms"`
	Stages        []StageReport      `json:"stages"`
	Timeline      *timeline.Timeline `json:"timeline,omitempty"`
	HeardFile     string             `json:"heard_file,omitempty"`
	Notices       []string           `json:"notices,omitempty"`
}

// StageReport is one stretch of the wait.
type StageReport struct {
	Name string  `json:"name"`
	MS   float64 `json:"ms"`
}

// ErrorReport is why a call failed.
type ErrorReport struct {
	Class   Class  `json:"class"`
	Message string `json:"message"`
}

// Spread sums up a set of figures.
type Spread struct {
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
}

// NewSpread sums up values; percentiles are the nearest rank's value, the
// median of an even number the mean of the middle two. None give a zero Spread.
func NewSpread(values []float64) Spread {
	n := len(values)
	if n == 0 {
		return Spread{}
	}
	v := slices.Clone(values)
	slices.Sort(v)
	rank := int(math.Ceil(0.95*float64(n))) - 1
	return Spread{N: n, Min: v[0], Median: (v[(n-1)/2] + v[n/2]) / 2, P95: v[rank], Max: v[n-1]}
}

// newTurnReport is turn n as a document. sameClock says that parley runs on this
// very machine, so that its marks and the caller's times can be compared.
func newTurnReport(n int, t Turn, sameClock bool) TurnReport {
	r := TurnReport{
		Turn: n, Input: t.Input, Said: t.Said, Transcript: t.Transcript, Reply: t.Reply,
		Answered: t.Answered, Reason: t.Reason, Status: t.Status, Notices: t.Notices,
		LatencyMS: milliseconds(t.Latency), FirstPacketMS: milliseconds(t.FirstPacket), ReplyMS: milliseconds(t.ReplyLength),
		Stages: []StageReport{},
	}
	if stages := t.Timeline.Stages(); len(stages) > 0 {
		r.Timeline = &t.Timeline
		r.Stages = waterfall(t, stages, sameClock)
	}
	return r
}

// The stretches that only the caller sees. They begin before parley's first
// stage and follow its last.
const (
	endOfSpeech = "end_of_speech" // from the last packet with speech to what parley took for it
	network     = "network"       // the way there and back
	bothOfThem  = "end_of_speech_and_network"
)

// waterfall is parley's own stages and, where the caller waited longer than
// they add up to, the rest: the time by which parley heard speech end later
// than SpeechRange has it, and the network. They are told apart where both
// ends go by one clock.
func waterfall(t Turn, stages []timeline.Stage, sameClock bool) []StageReport {
	var out []StageReport
	var sum time.Duration
	for _, s := range stages {
		if s.Name == network { // as reported to parley; measured here instead
			continue
		}
		out = append(out, StageReport{s.Name, milliseconds(s.Duration)})
		sum += s.Duration
	}
	rest := t.Latency - sum
	if rest <= 0 {
		return out
	}
	ended, known := t.Timeline.At(timeline.SpeechEnded)
	late := ended.Sub(t.Spoke)
	switch {
	case t.Input == "text":
		return append(out, StageReport{network, milliseconds(rest)})
	case sameClock && known && !t.Spoke.IsZero() && late >= 0 && late <= rest:
		out = append([]StageReport{{endOfSpeech, milliseconds(late)}}, out...)
		return append(out, StageReport{network, milliseconds(rest - late)})
	}
	return append(out, StageReport{bothOfThem, milliseconds(rest)})
}

// conclude counts the turns and notes how the call ended.
func (r *Report) conclude(err error) {
	var latencies []float64
	for _, t := range r.Turns {
		if t.Answered {
			r.Answered++
			latencies = append(latencies, t.LatencyMS)
		} else {
			r.Unanswered++
		}
	}
	if len(latencies) > 0 {
		s := NewSpread(latencies)
		r.Latency = &s
	}
	if err == nil {
		return
	}
	r.Error = &ErrorReport{Class: ClassOf(err), Message: err.Error()}
	var known *Error
	if !errors.As(err, &known) {
		r.Error.Class = "failed"
	}
}

func writeJSON(w io.Writer, r Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("loadtest: write report: %w", err)
	}
	return nil
}

// text is the turn for people: what was said, what came back, and where the
// wait went.
func (t TurnReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-3d %s\n", t.Turn, t.Said)
	line := func(label, words string) {
		if words != "" {
			fmt.Fprintf(&b, "    %-8s%s\n", label, words)
		}
	}
	if t.Input != "text" {
		line("you", t.Transcript)
	}
	line("parley", t.Reply)
	for _, n := range t.Notices {
		if n != t.Reason {
			line("note", n)
		}
	}
	if !t.Answered {
		line("NO ANSWER", " "+t.Reason)
		return b.String() + "\n"
	}
	line("wait", fmt.Sprintf("%.0f ms, from the last word to the first sound", t.LatencyMS))
	b.WriteString(bars(t.Stages))
	line("saved", t.HeardFile)
	return b.String() + "\n"
}

// bars draws each stage where it lies within the whole.
func bars(stages []StageReport) string {
	const width = 32
	total, name := 0.0, 0
	for _, s := range stages {
		total += s.MS
		name = max(name, len(s.Name))
	}
	var b strings.Builder
	at := 0.0
	for _, s := range stages {
		from := int(math.Round(at / max(total, 1e-9) * width))
		at += s.MS
		to := int(math.Round(at / max(total, 1e-9) * width))
		bar := strings.Repeat(" ", from) + strings.Repeat("█", to-from)
		if to == from && s.MS > 0 {
			bar += "▏"
		}
		row := fmt.Sprintf("            %-*s %8.1f  %s", name, strings.ReplaceAll(s.Name, "_", " "), s.MS, bar)
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	return b.String()
}

// summary is the last line for people, and what explains the rows above it.
func (r Report) summary() string {
	n := len(r.Turns)
	s := fmt.Sprintf("%d %s, %d answered", n, plural(n, "turn"), r.Answered)
	if r.Latency != nil {
		s += fmt.Sprintf("; wait: median %.0f ms, longest %.0f ms", r.Latency.Median, r.Latency.Max)
	}
	s += "\n"
	if slices.ContainsFunc(r.Turns, heardLonger) {
		s += "end of speech: parley heard speech end later, or earlier, than this program did\n"
	}
	return s
}

// heardLonger tells whether a turn's stages have one that wants explaining.
func heardLonger(t TurnReport) bool {
	return t.Answered && slices.ContainsFunc(t.Stages, func(s StageReport) bool {
		return s.MS > 0 && (s.Name == endOfSpeech || s.Name == bothOfThem)
	})
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// milliseconds has the resolution of a microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
