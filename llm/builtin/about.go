package builtin

// connect tells how to get a language model instead.
const connect = "To talk to one, give parley its base URL, under llm and openai in the configuration."

// about answers questions about the assistant itself, honestly.
func about(q query) (answer, bool) {
	switch {
	case q.is("what can you do", "what do you do", "help", "help me", "what can i say", "what can i ask",
		"what can i ask you", "what are you able to do", "what do you know",
		"what are your skills", "how can you help me", "how can you help", "what things can you do",
		"what else can you do", "what can you help me with", "what are you good at",
		"what are you capable of", "what are you for", "what can i do here", "what is this", "list your skills",
		"show me what you can do", "what can you tell me", "what should i say"):
		return say("I tell the time and date, calculate, convert units, set timers, spell, count and flip coins. For open questions, connect a language model to me.")
	case q.is("what are your limits", "what can you not do", "what can not you do", "what do you not know"):
		return say("I know nothing about the world and control no devices. I only tell the time, calculate, convert units, set timers, spell and count.")
	case q.is("who are you", "what are you", "what is your name", "your name", "do you have a name",
		"who am i talking to", "who is this", "introduce yourself", "what should i call you",
		"what are you called", "who am i speaking to", "who am i speaking with", "tell me about yourself",
		"about yourself", "what do they call you", "whats your name", "who is there"):
		return say("I am parley's small built-in assistant. I follow fixed rules; I am not a language model.")
	case isAskedWhatItIs(q):
		return say("I am a small program with fixed rules, not a language model. " + connect)
	case q.is("how do i connect a language model", "connect a language model", "how can i connect a language model",
		"how do i connect a model", "how do i use a language model",
		"how do i get a real language model", "use a language model", "how do i connect a real model",
		"how do i use a real model", "how do i plug in a model", "connect to a model",
		"how do i connect an ai", "how do i connect openai", "how do i connect chatgpt", "how can i use a real language model"):
		return say("Give parley the base URL of a model server, under llm and openai in the configuration. Or start Ollama on this machine, and parley finds it.")
	case q.is("who made you", "who built you", "who created you", "who wrote you", "who is your maker",
		"where do you come from", "who programmed you", "who developed you",
		"where are you from", "who designed you", "who invented you", "who is your creator"):
		return say("I am a part of parley, and its authors wrote my rules by hand.")
	case q.is("how do you work", "how does this work", "how does it work", "how do you understand me", "how do you know that"):
		return say("A recogniser turns your voice into words, I match them against fixed rules, and a synthetic voice reads my answer.")
	case q.is("where are you", "where do you live", "where do you run", "are you in the cloud",
		"where are you running", "are you online", "do you need the internet", "are you offline"):
		return say("I run inside the parley server you are connected to, without the internet.")
	case q.is("are you listening", "can you hear me", "do you hear me", "are you there", "hello can you hear me",
		"is anyone there", "is anybody there", "is this working", "does this work", "is this on",
		"are you still there", "do you understand me", "can you understand me", "you there", "testing", "test",
		"testing one two three", "test one two three", "one two three", "testing testing", "this is a test"):
		return say(q.oneOf("Yes, I hear you.", "I am here, and I hear you.", "Yes, loud and clear."))
	case q.is("do you record me", "are you recording", "are you recording me", "are you recording this",
		"do you store what i say", "do you keep what i say", "is this recorded", "is this private"):
		return say("What you say and hear is kept as text by the server you are connected to. Whoever runs it can tell you more.")
	case q.is("how old are you", "when were you born", "when is your birthday", "what is your age"):
		return say("I am a program, so I have no age to speak of.")
	case q.is("what languages do you speak", "which languages do you speak", "do you speak german",
		"do you speak french", "do you speak spanish", "do you speak english", "what language do you speak",
		"speak german",
		"can you speak spanish", "can you speak german", "can you speak french"):
		return say("I only understand and speak English. A language model could do more.")
	}
	return pass()
}

func isAskedWhatItIs(q query) bool {
	return q.is("are you an ai", "are you ai", "are you a robot", "are you a machine", "are you human",
		"are you a human", "are you a person", "are you real", "are you a real person",
		"are you a language model", "are you a large language model", "are you chatgpt", "are you gpt", "are you siri",
		"are you alexa", "are you a bot", "are you a computer",
		"what model are you", "which model are you", "what language model are you", "are you intelligent",
		"are you smart", "are you artificial intelligence", "are you a chat bot",
		"what kind of ai are you", "which language model are you", "are you alive", "are you conscious",
		"do you have feelings", "are you a program", "can you think", "do you think", "are you claude",
		"are you an artificial intelligence", "am i talking to a robot", "am i talking to a human",
		"am i talking to a person", "are you an a i", "are you stupid", "are you dumb", "you are stupid",
		"you are dumb")
}
