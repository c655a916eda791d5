package builtin

import (
	"slices"
	"strings"
)

// spelling answers "how do you spell necessary".
func spelling(q query) (answer, bool) {
	words, ok := after(q.core, "how do you spell", "how do i spell", "how to spell", "how is", "how would you spell",
		"how you spell", "spell", "spell out",
		"what is the spelling of", "the spelling of", "how do we spell", "how does one spell", "how are you spell")
	if !ok {
		return pass()
	}
	if slices.Equal(words, []string{"spelled"}) || hasPrefix(q.core, []string{"how", "is"}) && !slices.Contains(words, "spelled") && !slices.Contains(words, "spelt") {
		return pass()
	}
	words = before(words, "spelled", "spelt", "for me", "out", "correctly", "in english")
	for _, frame := range []string{"the word", "the name", "word", "a word like"} {
		if rest, ok := after(words, frame); ok && len(rest) > 0 {
			words = rest
		}
	}
	switch {
	case len(words) == 0:
		return say("Which word should I spell?")
	case slices.Equal(words, []string{"my", "name"}):
		return say("I do not know your name. Say “spell” and the name.")
	case len(words) > 4:
		return say("That is a lot to spell. Give me one word at a time.")
	}
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = strings.Join(strings.Split(strings.ToUpper(w), ""), ", ")
	}
	return say(sentence(strings.Join(words, " ") + ": " + strings.Join(parts, "; ")))
}
