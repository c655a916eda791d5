package loadtest

import (
	"encoding/json"
	"strings"
	"time"

	"parley/internal/timeline"
)

// story is what a call's events have told, in order, since the turn began. It
// is pure: arrival is an argument. Events of an earlier turn that come late are
// told apart by their ids and numbers.
type story struct {
	talks    bool // the far side sends realtime events at all
	lastTurn int  // highest turn that has ended
	mark     int  // lastTurn when the present turn began

	items    []string          // of the user, in order
	words    map[string]string // item to its latest transcript
	replies  []*reply          // since the turn began
	previous *reply            // the latest before that
	ends     []turnEnd         // turns that ended, each as told last
	notices  []string          // sentences about parts that failed
	hearing  time.Time         // latest speech_started
	listened bool              // speech was noticed at all
	active   time.Time         // latest sign that something more is coming
}

// reply is one response.
type reply struct {
	id      string
	text    strings.Builder
	final   string
	first   time.Time // its first text
	started time.Time // output_audio_buffer.started
	over    time.Time // output_audio_buffer.stopped or cleared
	cleared bool
	done    time.Time // response.done
	status  string
}

func (r *reply) words() string {
	if r.final != "" {
		return r.final
	}
	return strings.TrimSpace(r.text.String())
}

// turnEnd is a parley.turn event.
type turnEnd struct {
	turn                        int
	at                          time.Time // when it was told first
	status, reason, user, heard string
	timeline                    timeline.Timeline
}

// wireEvent has the fields we read of all server events.
type wireEvent struct {
	Type       string            `json:"type"`
	ItemID     string            `json:"item_id"`
	ResponseID string            `json:"response_id"`
	Transcript string            `json:"transcript"`
	Delta      string            `json:"delta"`
	Text       string            `json:"text"`
	Message    string            `json:"message"`
	Turn       int               `json:"turn"`
	Status     string            `json:"status"`
	Reason     string            `json:"reason"`
	User       string            `json:"user"`
	Heard      string            `json:"heard"`
	Timeline   timeline.Timeline `json:"timeline"`
	Response   struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	} `json:"response"`
	Error struct {
		Message string `json:"message"`
	} `json:"error"`
}

// begin forgets what belongs to earlier turns.
func (s *story) begin() {
	next := story{talks: s.talks, lastTurn: s.lastTurn, mark: s.lastTurn, previous: s.latest(), words: map[string]string{}}
	if next.previous == nil {
		next.previous = s.previous
	}
	*s = next
}

// tell takes in an event that arrived at a moment. What cannot be read is not ours.
func (s *story) tell(raw []byte, at time.Time) {
	var ev wireEvent
	if json.Unmarshal(raw, &ev) != nil {
		return
	}
	s.talks = true
	if strings.HasPrefix(ev.Type, "response.") || strings.HasPrefix(ev.Type, "output_audio_buffer.") {
		s.tellReply(&ev, at)
		return
	}
	switch ev.Type {
	case "input_audio_buffer.speech_started":
		s.hearing, s.listened, s.active = at, true, at
	case "input_audio_buffer.committed":
		s.listened, s.active = true, at
	case "parley.transcript.partial", "conversation.item.input_audio_transcription.completed":
		s.understood(ev.ItemID, ev.Transcript)
	case "conversation.item.input_audio_transcription.delta":
		s.understood(ev.ItemID, s.words[ev.ItemID]+ev.Delta)
	case "conversation.item.input_audio_transcription.failed":
		s.notice("What was said could not be understood: " + ev.Error.Message)
	case "parley.notice":
		s.notice(ev.Message)
	case "error":
		s.notice("parley refused a request: " + ev.Error.Message)
	case "parley.turn":
		s.turnEnded(&ev, at)
	}
}

func (s *story) tellReply(ev *wireEvent, at time.Time) {
	if ev.Type == "response.created" {
		s.replies = append(s.replies, &reply{id: ev.Response.ID})
		s.active = at
		return
	}
	r := s.find(ev)
	if r == nil {
		return
	}
	switch ev.Type {
	case "response.output_audio_transcript.delta", "response.output_text.delta":
		r.text.WriteString(ev.Delta)
		if r.first.IsZero() {
			r.first = at
		}
	case "response.output_audio_transcript.done", "response.output_text.done":
		r.final = ev.Transcript + ev.Text
	case "response.done":
		r.done, r.status = at, ev.Response.Status
	case "output_audio_buffer.started":
		r.started = at
	case "output_audio_buffer.stopped", "output_audio_buffer.cleared":
		r.over, r.cleared = at, strings.HasSuffix(ev.Type, "cleared")
	}
}

// find returns the reply an event is about; nil for one of an earlier turn
// other than the latest.
func (s *story) find(ev *wireEvent) *reply {
	id := ev.ResponseID + ev.Response.ID
	for _, r := range s.replies {
		if r.id == id {
			return r
		}
	}
	if s.previous != nil && s.previous.id == id {
		return s.previous
	}
	return nil
}

// latest is the reply begun last since the turn began; nil before any.
func (s *story) latest() *reply {
	if len(s.replies) == 0 {
		return nil
	}
	return s.replies[len(s.replies)-1]
}

func (s *story) understood(item, words string) {
	if _, known := s.words[item]; !known {
		s.items = append(s.items, item)
	}
	if s.words == nil {
		s.words = map[string]string{}
	}
	s.words[item] = words
}

func (s *story) notice(sentence string) {
	const most = 20
	if len(s.notices) < most {
		s.notices = append(s.notices, sentence)
	}
}

func (s *story) turnEnded(ev *wireEvent, at time.Time) {
	if ev.Turn <= s.mark {
		return
	}
	end := turnEnd{turn: ev.Turn, at: at, status: ev.Status, reason: ev.Reason, user: ev.User, heard: ev.Heard, timeline: ev.Timeline}
	s.lastTurn = max(s.lastTurn, ev.Turn)
	for i := range s.ends {
		if s.ends[i].turn == ev.Turn {
			end.at = s.ends[i].at
			s.ends[i] = end
			return
		}
	}
	s.ends = append(s.ends, end)
}

// transcript is all that was understood since the turn began.
func (s *story) transcript() string {
	var parts []string
	for _, item := range s.items {
		if w := strings.TrimSpace(s.words[item]); w != "" {
			parts = append(parts, w)
		}
	}
	return strings.Join(parts, " ")
}
