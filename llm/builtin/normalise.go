package builtin

import (
	"strings"
	"unicode"
)

// normalise takes a text apart into lower-case words: symbols and contractions
// become the words one would say ("12*7" is "12 times 7"), spellings become
// American, and fillers go. Numbers keep a decimal point and lose commas.
func normalise(text string) []string {
	words := expand(tokens(text))
	out := words[:0:0]
	for _, w := range words {
		if !isFiller(w) {
			out = append(out, w)
		}
	}
	// A filler at the beginning only: "okay set a timer", not "okay".
	for len(out) > 1 && isOpener(out[0]) {
		out = out[1:]
	}
	return out
}

func isFiller(w string) bool {
	switch w {
	case "um", "uh", "uhm", "umm", "er", "erm", "hmm", "hm", "mm", "ah", "please", "parley":
		return true
	}
	return false
}

func isOpener(w string) bool {
	switch w {
	case "ok", "okay", "hey", "so", "well", "oh", "alright", "now", "and", "then", "but":
		return true
	}
	return false
}

// polite are beginnings that do not change what is wanted.
var polite = []string{
	"can you", "could you", "would you", "will you", "can you tell me", "could you tell me", "do you know",
	"do you happen to know", "tell me", "i want to know", "i would like to know", "i need to know",
	"i want you to", "i would like you to", "i need you to", "i want to", "i would like to", "i need to",
	"can i", "may i", "could i", "can we", "let us", "i wonder", "i was wondering", "would you mind", "just", "kindly", "go ahead and",
	"can you help me", "help me", "hello", "hi", "yes", "no",
}

// stripPolite returns words without polite beginnings, but never nothing.
func stripPolite(words []string) []string {
	for {
		rest, ok := after(words, polite...)
		if !ok || len(rest) == 0 {
			return words
		}
		words = rest
	}
}

// symbol returns the words for a symbol, "" for one that only separates.
func symbol(r rune) string {
	switch r {
	case '+':
		return "plus"
	case '*', '×', '·', '⋅':
		return "times"
	case '÷':
		return "divided by"
	case '−':
		return "minus"
	case '%':
		return "percent"
	case '^':
		return "to the power of"
	case '√':
		return "square root of"
	case '°':
		return "degrees"
	case '²':
		return "squared"
	case '³':
		return "cubed"
	case '½':
		return "half"
	case '=':
		return "equals"
	case '(', ')':
		return string(r)
	}
	return ""
}

// tokens cuts a text into words, numbers and the words for symbols.
func tokens(text string) []string {
	r := []rune(strings.ToLower(strings.NewReplacer("’", "'", "‘", "'", "`", "'").Replace(text)))
	var out []string
	for i := 0; i < len(r); {
		start := i
		switch {
		case isDigit(r[i]):
			i = endOfNumber(r, i)
			number := strings.ReplaceAll(string(r[start:i]), ",", "")
			if suffix := ordinalSuffix(r[i:]); suffix != "" {
				number += suffix
				i += len(suffix)
			}
			out = append(out, number)
		case r[i] == 'x' && i > 0 && i+1 < len(r) && isDigit(r[i-1]) && isDigit(r[i+1]):
			out = append(out, "times") // 3x4
			i++
		case unicode.IsLetter(r[i]):
			for i < len(r) && (unicode.IsLetter(r[i]) || isDigit(r[i]) || r[i] == '\'') {
				i++
			}
			out = append(out, strings.Trim(string(r[start:i]), "'"))
		default:
			out = append(out, symbolAt(r, i)...)
			i++
		}
	}
	return out
}

// endOfNumber returns where the number that begins at i ends: digits with
// single points, commas, colons or, in a date such as 2026-03-01, hyphens in
// between.
func endOfNumber(r []rune, i int) int {
	start := i
	for i < len(r) {
		inside := i+1 < len(r) && isDigit(r[i+1])
		comma := r[i] == ',' && inside && i+3 < len(r) && isDigit(r[i+2]) && isDigit(r[i+3]) && (i+4 == len(r) || !isDigit(r[i+4]))
		date := r[i] == '-' && isISODate(r[start:])
		if !isDigit(r[i]) && !comma && !date && !((r[i] == '.' || r[i] == ':') && inside) {
			break
		}
		i++
	}
	return i
}

func isISODate(r []rune) bool {
	if len(r) < 10 {
		return false
	}
	for i, c := range r[:10] {
		if hyphen := i == 4 || i == 7; hyphen != (c == '-') || !hyphen && !isDigit(c) {
			return false
		}
	}
	return len(r) == 10 || !isDigit(r[10])
}

func ordinalSuffix(r []rune) string {
	if len(r) < 2 || len(r) > 2 && unicode.IsLetter(r[2]) {
		return ""
	}
	switch s := string(r[:2]); s {
	case "st", "nd", "rd", "th":
		return s
	}
	return ""
}

// symbolAt returns the words for the symbol at i, which for a hyphen or slash
// depend on its neighbours.
func symbolAt(r []rune, i int) []string {
	prev, next := ' ', ' '
	if i > 0 {
		prev = r[i-1]
	}
	if i+1 < len(r) {
		next = r[i+1]
	}
	switch r[i] {
	case '-':
		if unicode.IsLetter(prev) {
			return nil // twenty-one
		}
		if isDigit(next) || next == ' ' && i+2 < len(r) && (isDigit(r[i+2]) || r[i+2] == '(') || prev == ')' || next == '(' {
			return []string{"minus"}
		}
		return nil
	case '/':
		if unicode.IsLetter(prev) && unicode.IsLetter(next) {
			return []string{"per"}
		}
		return []string{"divided", "by"}
	}
	return strings.Fields(symbol(r[i]))
}

// expand replaces contractions, other spellings and frequent mis-hearings.
func expand(in []string) []string {
	out := make([]string, 0, len(in))
	for i := 0; i < len(in); i++ {
		if i+1 < len(in) {
			if s := pairs(in[i] + " " + in[i+1]); s != "" {
				out = append(out, s)
				i++
				continue
			}
		}
		if long := contraction(in[i]); long != "" {
			out = append(out, strings.Fields(long)...)
			continue
		}
		w := strings.ReplaceAll(in[i], "'", "")
		if s := spellings(w); s != "" {
			w = s
		}
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}

// pairs are two words that are one, or were one before they were heard.
func pairs(two string) string {
	switch two {
	case "time or", "time her", "tie more":
		return "timer"
	case "time or's", "time ors":
		return "timers"
	case "fahren height", "foreign height", "fair and height":
		return "fahrenheit"
	case "sell see us", "cell see us", "cell cius":
		return "celsius"
	case "kilo meters", "killer meters", "kilo metres":
		return "kilometers"
	case "kilo grams", "killer grams":
		return "kilograms"
	case "centi meters", "sent meters", "santa meters":
		return "centimeters"
	case "mine us":
		return "minus"
	case "good bye":
		return "goodbye"
	case "o clock":
		return "oclock"
	case "every thing":
		return "everything"
	}
	return ""
}

func contraction(w string) string {
	switch w {
	case "what's", "whats", "wats":
		return "what is"
	case "what're":
		return "what are"
	case "who's", "whos":
		return "who is"
	case "how's", "hows":
		return "how is"
	case "where's":
		return "where is"
	case "when's":
		return "when is"
	case "it's":
		return "it is"
	case "that's", "thats":
		return "that is"
	case "there's":
		return "there is"
	case "let's":
		return "let us"
	case "i'm", "im":
		return "i am"
	case "i'd":
		return "i would"
	case "i'll":
		return "i will"
	case "you're", "youre":
		return "you are"
	case "don't", "dont":
		return "do not"
	case "can't", "cant", "cannot":
		return "can not"
	case "didn't", "didnt":
		return "did not"
	case "isn't", "isnt":
		return "is not"
	case "gonna":
		return "going to"
	case "wanna":
		return "want to"
	}
	return ""
}

// spellings maps British spellings, abbreviations and typing errors to one form.
func spellings(w string) string {
	for _, p := range [][2]string{{"metre", "meter"}, {"litre", "liter"}} {
		if strings.Contains(w, p[0]) {
			return strings.Replace(w, p[0], p[1], 1)
		}
	}
	switch w {
	case "tonne", "tonnes":
		return "ton"
	case "colour":
		return "color"
	case "u":
		return "you"
	case "r":
		return "are"
	case "till", "til":
		return "until"
	case "xmas":
		return "christmas"
	case "tymer", "tiemr", "timr":
		return "timer"
	case "calender":
		return "calendar"
	case "tommorow", "tommorrow", "tomorow":
		return "tomorrow"
	}
	return ""
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
