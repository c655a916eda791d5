package builtin

import (
	"strings"

	"parley/llm"
)

// smallTalk answers what is no question.
func smallTalk(q query) (answer, bool) {
	switch {
	case q.is("hello", "hi", "hey", "hello there", "hi there", "hey there", "good morning", "good afternoon",
		"good evening", "good day", "howdy", "greetings", "hello hello", "hiya", "hallo", "yo", "hello assistant",
		"hello computer"):
		return say(greeting(q))
	case q.is("how are you", "how are you doing", "how are you today", "how are you doing today", "how is it going",
		"how do you do", "what is up", "how do you feel", "are you ok", "are you okay", "hello how are you",
		"hi how are you",
		"how have you been", "how are things", "good morning how are you", "you good", "how is your day"):
		return say(q.oneOf("All my rules are in order, thank you. What can I do for you?", "Running well, thank you. What can I do for you?"))
	case q.is("thank you", "thanks", "thank you very much", "thanks a lot", "many thanks", "thank you so much",
		"cheers", "great thank you", "great thanks", "perfect thank you", "thanks very much", "no thank you",
		"no thanks",
		"thank you that is all", "that is all thank you", "that is all thanks", "thanks for your help",
		"thank you for your help", "thank you for the help", "thanks for that", "great job", "good job",
		"well done", "nice", "great", "cool", "perfect", "awesome", "very good", "that is great", "wonderful",
		"good", "excellent", "you are great", "you are good", "good work", "i love you", "i like you",
		"that is nice", "that is good", "thank you goodbye"):
		return say(q.oneOf("You are welcome.", "Happy to help.", "My pleasure."))
	case q.is("goodbye", "bye", "bye bye", "see you", "see you later", "good night", "see you soon", "have a nice day",
		"talk to you later", "hang up", "end the call", "i have to go", "that is all", "that is it",
		"that will be all", "farewell", "goodnight", "have a good day", "see you tomorrow", "ciao", "so long"):
		return say(q.oneOf("Goodbye. You can hang up whenever you like.", "Goodbye, and take care."))
	case q.is("you are welcome", "nice to meet you", "pleased to meet you", "nice talking to you"):
		return say("Likewise. What can I do for you?")
	case q.is("i am fine", "i am fine thank you", "fine thanks", "i am good", "i am good thanks", "i am well", "and you"):
		return say("That is good to hear. What can I do for you?")
	case q.is("merry christmas", "happy christmas", "happy birthday", "happy new year", "happy easter",
		"congratulations", "happy halloween"):
		return say("Thank you, the same to you.")
	case q.is("really", "why", "why not", "how", "how so", "what", "what do you mean", "i do not understand",
		"i do not get it", "are you sure", "what does that mean", "huh", "how do you mean", "explain"):
		return say("I cannot explain more than I said. Say “repeat that” to hear it again, or “help” for what I can do.")
	case q.is("do you like me", "do you love me", "do you like music", "what is your favorite color",
		"what do you like", "what is your favorite movie", "what is your favorite food",
		"do you have a favorite color",
		"are you happy", "are you sad", "are you married", "do you have a family", "do you have friends",
		"do you sleep", "do you eat", "do you dream", "will you marry me", "are you a boy or a girl",
		"are you male or female"):
		return say("I am only a program with fixed rules, so there is nothing I like or feel.")
	case q.is("sorry", "i am sorry", "my bad", "excuse me please", "i apologize", "oops"):
		return say("No harm done.")
	case isJoke(q):
		return say(joke(q))
	case q.is("sing", "sing a song", "sing something", "sing for me", "sing me a song", "can you sing", "do you sing", "rap", "beatbox"):
		return say("I had better not sing. I can count, though: say “count to ten”.")
	case q.is("tell me a story", "a story", "read me a story", "a bedtime story", "tell a story", "tell me something",
		"say something", "something interesting", "tell me a fun fact", "a fun fact", "fun fact", "surprise me",
		"i am bored", "say something interesting", "entertain me"):
		return say(q.oneOf("Here is a fact: 111,111,111 squared is 12,345,678,987,654,321. That is as good as my stories get.",
			"Here is a fact: four is the only number with as many letters in English as it counts. I have no stories."))
	case q.is("yes", "yeah", "yep", "yes please", "sure", "of course", "okay", "ok", "alright", "all right", "right",
		"correct", "exactly", "fine", "i see", "go ahead", "that is right", "uh huh", "absolutely", "yup", "aha",
		"got it", "okay good", "very well", "that is correct"):
		return say(q.oneOf("All right. What can I do for you?", "Good. What would you like to know?"))
	case q.is("no", "nope", "nah", "not really", "never mind", "nevermind", "nothing", "forget it", "forget that",
		"cancel", "cancel that", "stop", "stop it", "be quiet", "quiet", "shut up", "enough", "stop talking",
		"that is enough", "that is wrong", "wrong", "not that", "that is not right", "wait", "hold on", "silence"):
		return say(q.oneOf("All right.", "Fine, as you like."))
	case q.is("what is the meaning of life", "the meaning of life", "what is the answer to life", "what is the answer to life the universe and everything"):
		return say("Forty-two, according to a famous book. I only know the numbers.")
	}
	return pass()
}

// greeting answers in kind, by the time of day where it is known.
func greeting(q query) string {
	words := "Hello!"
	for _, part := range []string{"morning", "afternoon", "evening"} {
		if q.has(part) {
			return "Good " + part + "! What can I do for you?"
		}
	}
	switch h := q.now.Hour(); {
	case q.now.IsZero():
	case h >= 5 && h < 12:
		words = "Good morning!"
	case h >= 12 && h < 18:
		words = "Good afternoon!"
	case h >= 18 && h < 23:
		words = "Good evening!"
	}
	return words + " " + q.oneOf("What can I do for you?", "How can I help?", "What would you like to know?")
}

func isJoke(q query) bool {
	return q.is("a joke", "tell me a joke", "joke", "another joke", "another one", "do you know a joke",
		"do you know any jokes", "make me laugh", "any jokes", "tell a joke", "say something funny", "one more joke",
		"me another joke", "me a joke", "something funny", "jokes") &&
		(!q.is("another one") || told(q.lastSaid(llm.Assistant)))
}

// jokes are clean, and short when read aloud.
var jokes = []string{
	"Why do programmers mix up Halloween and Christmas? Because oct 31 is dec 25.",
	"There are 10 kinds of people: those who know binary, and those who don't.",
	"I would tell you a joke about UDP, but you might not get it.",
	"Why was six afraid of seven? Because seven ate nine.",
	"What do you call a fish without eyes? A fsh.",
	"I told my computer I needed a break, and now it will not stop sending me bars of chocolate.",
	"Parallel lines have so much in common. It is a shame they will never meet.",
	"Why did the scarecrow get a prize? He was outstanding in his field.",
}

func told(text string) bool {
	for _, j := range jokes {
		if text != "" && strings.HasPrefix(j, text) {
			return true
		}
	}
	return false
}

// joke tells one that was not told in this call, as long as there is one.
func joke(q query) string {
	all := jokes
	start := int(q.seed() % uint64(len(all)))
	for i := range all {
		j := all[(start+i)%len(all)]
		known := false
		for _, m := range q.messages {
			known = known || m.Role == llm.Assistant && strings.TrimSpace(m.Text) != "" && strings.HasPrefix(j, m.Text)
		}
		if !known {
			return j
		}
	}
	return all[start]
}
