package builtin

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"parley/llm"
)

const (
	askDuration = "For how long should the timer run?"
	maxTimer    = 24 * time.Hour
)

// timers sets and cancels timers, which ring in the call.
func timers(q query) (answer, bool) {
	asked := wasAsked(q.lastSaid(llm.Assistant))
	about := slices.ContainsFunc(q.words, isTimerWord) || isHalfHeard(q.core)
	switch {
	case isCancel(q, about):
		return answer{text: "All timers are cancelled.", action: action(llm.ActionCancelTimers, nil)}, true
	case about && (q.has("left", "remaining", "remains", "status") || q.is("check my timer", "how is my timer")):
		return say("I can set timers and cancel them, but I cannot see how much time is left.")
	case about && (q.has("alarm") && isClockTime(q.words)):
		return say("I cannot set an alarm for a time of day, only a timer that rings during this call. Try “set a timer for ten minutes”.")
	}
	duration, said, used, at := findDuration(q.words)
	_, reminder := after(q.words, "tell me")
	if _, ok := after(q.core, "remind me", "wake me", "wake me up", "ring me", "ring", "let me know", "alert me",
		"notify me", "call me", "beep"); ok {
		reminder = true
	}
	switch {
	case used > 0 && (about || reminder && precededBy(q.words, at, "in", "after", "for")):
		return set(duration, said, timerName(q.words, at, used), !about)
	case used > 0 && asked && len(q.words)-used <= 3:
		return set(duration, said, "", false)
	case about && (q.has("set", "start", "create", "make", "begin", "need", "want", "give", "put", "have") || len(q.words) <= 3):
		return say(askDuration)
	}
	return pass()
}

func isTimerWord(w string) bool {
	switch w { // the misheard ones are no words that one would calculate or chat with
	case "timer", "timers", "timor", "tymer", "tima", "alarm", "alarms", "countdown", "reminder":
		return true
	}
	return false
}

// isHalfHeard reports whether "set a timer" came as "set a time".
func isHalfHeard(words []string) bool {
	_, ok := after(words, "set a time", "set the time", "set time", "set a tie", "set a dime", "start a time", "set at time")
	return ok
}

// isCancel reports whether timers are to go. "Cancel that" counts right after
// one was set.
func isCancel(q query, about bool) bool {
	cancel := q.has("cancel", "stop", "delete", "clear", "remove", "end", "kill", "dismiss", "quit", "forget",
		"council") || q.has("off") && q.has("turn", "switch", "shut")
	if about {
		return cancel && !q.has("set", "start")
	}
	return cancel && strings.Contains(strings.ToLower(q.lastSaid(llm.Assistant)), "timer") &&
		q.is("cancel that", "cancel it", "cancel", "stop it", "stop that", "delete it", "turn it off", "clear it",
			"forget it", "forget that")
}

func isClockTime(words []string) bool {
	for i, w := range words {
		clock := strings.Contains(w, ":") || slices.Contains([]string{"am", "pm", "oclock", "noon", "midnight",
			"morning", "evening", "tomorrow"}, w)
		if clock || w == "at" && i+1 < len(words) && small(words[i+1]) > 0 {
			return true
		}
	}
	return false
}

func precededBy(words []string, at int, any ...string) bool {
	return at > 0 && slices.Contains(any, words[at-1])
}

// wasAsked reports whether the caller was just asked how long a timer should
// run, and may have cut the question short.
func wasAsked(last string) bool {
	return strings.HasSuffix(last, askDuration) || len(last) > 10 && strings.HasPrefix(askDuration, last)
}

// set sets a timer, or says why not. name is "" where the caller gave none.
func set(d time.Duration, said, name string, reminder bool) (answer, bool) {
	switch {
	case d < time.Second:
		return say("That is too short for a timer. " + askDuration)
	case d > maxTimer:
		return say("My timers run for 24 hours at most, and only while this call is open.")
	}
	label, text := name, sentence(name+" timer set for "+said)
	switch {
	case name == "":
		label, text = strings.Join(adjective(said), " "), "Timer set for "+said+"."
	case reminder:
		text = "I will ring in " + said + ", to remind you: " + name + "."
	}
	if d >= time.Hour {
		text += " It rings only while this call is open."
	}
	return answer{text: text, action: action(llm.ActionSetTimer, llm.TimerArgs{Seconds: d.Seconds(), Label: label})}, true
}

// adjective makes "5 minutes" into "5 minute".
func adjective(said string) []string {
	f := strings.Fields(said)
	for i, w := range f {
		if _, n := matchUnit([]string{w}); n > 0 {
			f[i] = strings.TrimSuffix(w, "s")
		}
	}
	return f
}

// timerName finds what a timer is for: the word before "timer", or what
// follows the duration ("for the eggs", "to call mom").
func timerName(words []string, at, used int) string {
	tail := words[at+used:]
	if len(tail) > 0 && isTimerWord(tail[0]) {
		tail = tail[1:]
	}
	if rest, ok := after(tail, "for the", "for my", "for", "to", "called", "named", "that says"); ok && len(rest) > 0 && len(rest) <= 5 {
		return strings.Join(before(rest, "from now", "now"), " ")
	}
	if rest, ok := after(words[:max(at-1, 0)], "remind me to", "remind me that", "remind me about"); ok && len(rest) > 0 && len(rest) <= 5 {
		return strings.Join(rest, " ")
	}
	i := slices.IndexFunc(words, isTimerWord)
	if i < 1 || i-1 >= at && i-1 < at+used {
		return ""
	}
	w := words[i-1]
	if slices.Contains([]string{"a", "an", "the", "my", "set", "start", "another", "new", "second", "this", "that",
		"me", "of", "one", "and",
		"first", "next", "to", "for", "in", "at", "create", "need", "want", "put", "on", "up", "make", "with", "your",
		"minute", "minutes", "begin"}, w) {
		return ""
	}
	return w
}

// findDuration finds the first length of time in words: what it is, how to say
// it, how many words it takes and where. A bare number after "for" counts as
// minutes.
func findDuration(words []string) (d time.Duration, said string, used, at int) {
	for i := range words {
		if hasPrefix(words[i:], []string{"a", "second"}) && i+2 < len(words) && isTimerWord(words[i+2]) {
			continue // a further timer, not a short one
		}
		if seconds, n := parseDuration(words[i:]); n > 0 {
			d := toDuration(seconds)
			return d, sayDuration(d), n, i
		}
	}
	for i, w := range words {
		if w != "for" && w != "of" {
			continue
		}
		if v, n := number(words[i+1:]); n > 0 && (i+1+n == len(words) || words[i+1+n] == "for") {
			d := toDuration(new(big.Rat).Mul(v, big.NewRat(60, 1)))
			return d, sayDuration(d), n, i + 1
		}
	}
	return 0, "", 0, 0
}

// parseDuration reads a length of time in seconds: "five minutes", "an hour and
// a half", "a couple of minutes", "for minutes" as heard for "four minutes".
func parseDuration(words []string) (*big.Rat, int) {
	if rest, ok := after(words, "a couple of", "a couple"); ok {
		if u, n := matchUnit(rest); n > 0 && u.dim == duration {
			return u.toBase(big.NewRat(2, 1)), len(words) - len(rest) + n
		}
	}
	a, used := quantity(words)
	if used > 0 && a.unit.dim == duration && (used > 1 || a.exact.Cmp(big.NewRat(1, 1)) != 0) {
		return a.base, used
	}
	if len(words) > 1 {
		v, ok := homophones(words[0])
		if u, n := matchUnit(words[1:]); ok && n > 0 && u.dim == duration && strings.HasSuffix(words[1], "s") {
			return u.toBase(big.NewRat(v, 1)), 1 + n
		}
	}
	return nil, 0
}

func toDuration(seconds *big.Rat) time.Duration {
	f, _ := seconds.Float64()
	return time.Duration(min(f, 1e9)*1000+0.5) * time.Millisecond
}

// sayDuration says a length of time: "1 hour 30 minutes".
func sayDuration(d time.Duration) string {
	var parts []string
	for _, u := range []struct {
		name   string
		length time.Duration
	}{{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := d / u.length; n > 0 {
			parts = append(parts, count(int(n), u.name))
			d -= n * u.length
		}
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}
