package builtin

import "slices"

// limits answers requests for what the assistant cannot do, each with the
// plain reason. It never acts as if it had.
func limits(q query) (answer, bool) {
	reason := inability(q)
	if reason == "" {
		return pass()
	}
	return say("I heard: " + quote(q.heard) + ". " + reason)
}

// inability returns why q cannot be done, "" where it is not known to be
// impossible.
func inability(q query) string {
	first := ""
	if len(q.core) > 0 {
		first = q.core[0]
	}
	starts := func(any ...string) bool { return slices.Contains(any, first) }
	switch {
	case starts("go", "move", "drive", "walk", "come", "fly", "rotate", "halt", "grab", "pick", "turn") && len(q.core) > 1 &&
		q.has("forward", "forwards", "backward", "backwards", "back", "left", "right", "around", "meter", "meters",
			"feet", "steps", "here", "there", "home") && !q.has("on", "off"):
		return "I have no wheels and cannot move anything: I am only a small built-in assistant."
	case starts("turn", "switch", "dim", "lock", "unlock", "lower", "raise", "increase", "decrease", "activate",
		"deactivate", "heat", "shut") && len(q.core) > 1,
		starts("open", "close", "set") && q.has("lamp", "lamps", "light", "lights", "door", "doors", "window",
			"windows", "blinds", "curtains", "garage", "thermostat", "heating", "temperature", "oven", "volume"):
		return "I cannot switch lamps or any other device: I am only a small built-in assistant."
	case starts("launch", "open", "close", "start", "run", "install", "download", "quit", "exit", "restart", "reboot",
		"execute") && len(q.core) > 1:
		return "I cannot launch or close programs: I am only a small built-in assistant."
	case starts("play", "pause", "resume", "skip", "shuffle") && len(q.core) > 1, q.is("play music", "some music", "music"):
		return "I cannot play music or videos: I am only a small built-in assistant."
	case starts("write", "compose", "invent", "draw", "paint", "make") && q.has("poem", "story", "song", "essay",
		"code", "program", "picture", "text", "rhyme", "haiku", "joke"):
		return "I cannot make things up: I am only a small built-in assistant."
	case starts("call", "dial", "phone", "text", "email", "message", "send", "write", "mail") && len(q.core) > 1:
		return "I cannot call or write to anyone: I am only a small built-in assistant."
	case starts("buy", "order", "book", "reserve", "pay", "schedule") && len(q.core) > 1:
		return "I cannot buy or book anything: I am only a small built-in assistant."
	case q.has("weather", "forecast", "rain", "raining", "snow", "umbrella", "sunny", "temperature") && isQuestion(q),
		starts("weather"):
		return "I do not know the weather: I am a small built-in assistant without the internet."
	case q.has("news", "headlines", "stock", "stocks", "bitcoin", "traffic") && (isQuestion(q) || len(q.core) <= 4):
		return "I do not know the news: I am a small built-in assistant without the internet."
	case starts("search", "google", "browse", "find", "show",
		"look") && len(q.core) > 1, hasPrefix(q.core, []string{"navigate"}), q.has("directions"):
		return "I cannot look anything up: I am a small built-in assistant without the internet."
	case starts("remember", "remind") && len(q.core) > 1, hasPrefix(q.core, []string{"my", "name", "is"}):
		return "I do not remember things; I can set a timer, though, if you tell me for how long."
	case q.has("dollars", "dollar", "euros", "euro", "pounds sterling", "yen", "currency", "francs"):
		return "I do not know exchange rates: I am a small built-in assistant without the internet."
	case q.is("speak louder", "louder", "speak slower", "slower", "speak up", "speak faster", "quieter",
		"speak more slowly", "talk slower"):
		return "I cannot change my voice; the volume of your speaker helps."
	case starts("translate") || q.has("translate"):
		return "I cannot translate: I am a small built-in assistant that only knows English."
	}
	return ""
}

// isQuestion reports whether q begins as questions do.
func isQuestion(q query) bool {
	return len(q.words) > 0 && slices.Contains([]string{"who", "what", "where", "when", "why", "how", "which", "whose",
		"is", "are", "was", "were", "do", "does", "did",
		"can", "could", "will", "would", "should", "has", "have", "may", "shall", "tell"}, q.words[0])
}
