package builtin

import (
	"strings"

	"parley/llm"
)

// repeat says the last answer again, or what the caller said.
func repeat(q query) (answer, bool) {
	switch {
	case q.is("repeat that", "repeat", "say that again", "say it again", "repeat what you said", "what did you say", "what was that",
		"come again", "once more", "again", "pardon", "pardon me", "say again", "one more time", "repeat the answer", "i did not hear you",
		"i did not hear that", "i did not catch that", "what did you just say", "excuse me", "sorry what",
		"sorry what was that", "repeat yourself", "say that one more time"):
		if last := q.lastSaid(llm.Assistant); last != "" {
			return say(last)
		}
		return say("I have not said anything yet.")
	case q.is("what did i say", "what did i just say", "what did you hear", "what did you understand",
		"repeat what i said", "what did i ask"):
		if last := q.lastSaid(llm.User); last != "" {
			return say("I heard: " + quote(last) + ".")
		}
		return say("You have not said anything before this.")
	}
	return pass()
}

// maxQuote is how many words of the caller are repeated.
const maxQuote = 12

// quote puts what was heard into quotation marks, shortened.
func quote(heard string) string {
	words := strings.Fields(heard)
	end := ""
	if len(words) > maxQuote {
		words, end = words[:maxQuote], " …"
	}
	text := strings.Join(words, " ")
	if len(text) > 200 {
		text, end = strings.ToValidUTF8(text[:200], ""), " …"
	}
	return "“" + strings.TrimRight(text, ".!?") + end + "”"
}
