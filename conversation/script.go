package conversation

import (
	"strings"
	"time"
	"unicode/utf8"

	"parley/tts"
)

// speechRate is how many characters of text a voice speaks per second where
// nothing better is known: flite's slt reads English at 14-16.
const speechRate = 15

// script maps positions in the audio of a reply to its text. It is plain data:
// the loop that owns the state appends to it as the voice reports.
type script struct {
	lines []line
	total time.Duration // audio produced so far
}

// line is one clause and where it lies in the audio.
type line struct {
	text  string
	start time.Duration
	words []tts.Word // may be empty
}

// begin notes that the next audio, from at on, speaks text.
func (s *script) begin(text string, at time.Duration) {
	s.lines = append(s.lines, line{text: text, start: at})
	s.total = max(s.total, at)
}

// mark adds words as the voice reports them, to the lines in whose audio they begin.
func (s *script) mark(words []tts.Word) {
	for _, w := range words {
		for i := len(s.lines) - 1; i >= 0; i-- {
			if w.Start >= s.lines[i].start {
				s.lines[i].words = append(s.lines[i].words, w)
				break
			}
		}
	}
}

// extend notes how much audio there is.
func (s *script) extend(total time.Duration) { s.total = max(s.total, total) }

// heard is the text up to the last word whose sound had ended at pos.
func (s *script) heard(pos time.Duration) string {
	var b strings.Builder
	for i, l := range s.lines {
		if l.start >= pos {
			break
		}
		end := s.total
		closed := i+1 < len(s.lines)
		if closed {
			end = s.lines[i+1].start
		}
		text := l.text
		if !closed || pos < end { // more of the last line may be on its way
			text = l.heardPart(pos, end, closed)
		}
		if text == "" {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(text)
	}
	return b.String()
}

// heardPart is the beginning of the line that had sounded at pos, in whole words.
func (l line) heardPart(pos, end time.Duration, closed bool) string {
	fields := strings.Fields(l.text)
	n := 0
	switch {
	case len(l.words) > 0:
		done := 0
		for _, w := range l.words {
			if w.End <= pos {
				done++
			}
		}
		// The voice may count words differently ("21" is two); keep the share.
		n = done * len(fields) / max(len(l.words), 1)
		if len(l.words) < len(fields) && !closed {
			n = min(done, len(fields))
		}
	default:
		length := end - l.start
		if guess := time.Duration(utf8.RuneCountInString(l.text)) * time.Second / speechRate; !closed && guess > length {
			length = guess
		}
		if length > 0 {
			n = int(int64(len(fields)) * int64(pos-l.start) / int64(length))
		}
	}
	return strings.Join(fields[:min(n, len(fields))], " ")
}

// rest is what follows heard in the clauses, in whole words.
func rest(clauses []string, heard string) string {
	all := strings.Fields(strings.Join(clauses, " "))
	return strings.Join(all[min(len(strings.Fields(heard)), len(all)):], " ")
}
