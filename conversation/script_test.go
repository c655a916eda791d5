package conversation

import (
	"testing"
	"time"

	"parley/tts"
)

func word(text string, start, end int) tts.Word {
	return tts.Word{Text: text, Start: time.Duration(start) * time.Millisecond, End: time.Duration(end) * time.Millisecond}
}

func TestScriptHeard(t *testing.T) {
	var timed script
	timed.begin("One two three.", 0)
	timed.mark([]tts.Word{word("one", 0, 200), word("two", 200, 400), word("three", 400, 600)})
	timed.begin("Four five.", 700*time.Millisecond)
	timed.mark([]tts.Word{word("four", 700, 900), word("five", 900, 1100)})
	timed.extend(1200 * time.Millisecond)

	var untimed script // the voice tells no words: the share of the clause's audio counts
	untimed.begin("One two three four.", 0)
	untimed.begin("Five six.", time.Second)
	untimed.extend(1100 * time.Millisecond) // not all of it is made yet

	var numbers script // the voice makes more words of it than the text has
	numbers.begin("At 10:30 sharp", 0)
	numbers.mark([]tts.Word{word("at", 0, 100), word("ten", 100, 300), word("thirty", 300, 500), word("sharp", 500, 800)})
	numbers.begin("ok", 800*time.Millisecond)

	tests := []struct {
		name string
		s    script
		ms   int
		want string
	}{
		{"nothing", timed, 0, ""},
		{"mid-word", timed, 350, "One"},
		{"word just over", timed, 400, "One two"},
		{"whole clause", timed, 650, "One two three."},
		{"into the next", timed, 950, "One two three. Four"},
		{"all", timed, 1150, "One two three. Four five."},
		{"untimed half", untimed, 500, "One two"},
		{"untimed, unfinished clause", untimed, 1100, "One two three four."},
		{"more words than text", numbers, 500, "At 10:30"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.heard(time.Duration(tt.ms) * time.Millisecond); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := rest([]string{"One two three.", "Four five.", "Six."}, timed.heard(950*time.Millisecond)); got != "five. Six." {
		t.Errorf("rest: %q", got)
	}
}
