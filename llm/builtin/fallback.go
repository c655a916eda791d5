package builtin

// fallback answers what no skill knows: what was heard, what the assistant is,
// and one thing it can do.
func fallback(q query) answer {
	suggestion := q.oneOf("what time is it", "what is twelve times seven", "set a timer for five minutes", "how many feet are in a mile",
		"how do you spell necessary", "how many days until Christmas", "flip a coin", "tell me a joke")
	heard := "I heard: " + quote(q.heard) + ". "
	if isQuestion(q) {
		return answer{text: heard + q.oneOf(
			"I am only a small built-in assistant and do not know that; try “"+suggestion+"”.",
			"That is beyond me, a small built-in assistant without a language model; try “"+suggestion+"”.")}
	}
	return answer{text: heard + q.oneOf(
		"I am only a small built-in assistant and have no answer to that; try “"+suggestion+"”.",
		"I do not know what to do with that, as I am only a small built-in assistant; try “"+suggestion+"”.")}
}
