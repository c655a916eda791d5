package flite

import (
	"strings"
	"time"
	"unicode"

	"parley/tts"
)

const (
	softWords = 10 // from here on a piece ends at punctuation
	hardWords = 16 // here it ends anyhow: about 20 ms of computing
	maxToken  = 40 // characters handed over without a space
)

// token is what flite takes for one word, in printable ASCII, and the word of
// the clause it is part of.
type token struct {
	text string
	word string // as written; "" where the token continues the word before
}

// tokenize spells a clause in the characters that flite knows. Words of which
// nothing is left are dropped.
func tokenize(clause string) []token {
	fields := strings.Fields(clause)
	tokens := make([]token, 0, len(fields))
	for _, word := range fields {
		text := fold(word)
		if !strings.ContainsFunc(text, func(r rune) bool { return isAlnum(byte(r)) || strings.ContainsRune("$%&+=@#", r) }) {
			if n := len(tokens); n > 0 && text != "" && !isBreak(tokens[n-1].text) && isBreak(text) {
				tokens[n-1].text += text[len(text)-1:] // its pause stays
			}
			continue
		}
		for first := true; text != ""; first = false {
			n := min(len(text), maxToken)
			t := token{text: text[:n]}
			if first {
				t.word = word
			}
			tokens = append(tokens, t)
			text = text[n:]
		}
	}
	return tokens
}

// pieceLen is how many tokens to hand over at once: all, where that is few, else
// up to punctuation or the last word before a connecting one.
func pieceLen(tokens []token) int {
	if len(tokens) <= hardWords {
		for n := softWords; n < len(tokens)-2; n++ {
			if isBreak(tokens[n-1].text) {
				return n
			}
		}
		return len(tokens)
	}
	best := hardWords
	for n := softWords; n <= hardWords; n++ {
		switch {
		case isBreak(tokens[n-1].text):
			return n
		case isConnector(tokens[n].text):
			best = n
		}
	}
	return best
}

// isConnector tells whether a speaker may pause before the word.
func isConnector(s string) bool {
	switch strings.ToLower(s) {
	case "and", "but", "or", "because", "which", "who", "when", "where", "while", "if", "so", "although", "though", "since", "until", "unless",
		"that", "than", "with", "for", "from", "in", "on", "at", "to", "of", "by":
		return true
	}
	return false
}

func isBreak(s string) bool { return s != "" && strings.ContainsRune(".,;:!?", rune(s[len(s)-1])) }

func isAlnum(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

func join(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// span is when a token sounds, from the start of its piece.
type span struct{ start, end time.Duration }

// wordsOf gives the words of tokens the times of what flite said. It has as
// many spans as there are tokens, but for texts it takes apart differently:
// then the spans are shared out in order.
func wordsOf(tokens []token, spans []span, shift time.Duration) []tts.Word {
	if len(spans) == 0 {
		return nil
	}
	words := make([]tts.Word, 0, len(tokens))
	var latest time.Duration
	for i, t := range tokens {
		from := min(i*len(spans)/len(tokens), len(spans)-1)
		to := max(from, (i+1)*len(spans)/len(tokens)-1)
		start := max(latest, spans[from].start+shift)
		end := max(start, spans[to].end+shift)
		latest = start
		if t.word == "" && len(words) > 0 {
			words[len(words)-1].End = end
			continue
		}
		if t.word != "" {
			words = append(words, tts.Word{Text: t.word, Start: start, End: end})
		}
	}
	return words
}

// fold spells s in printable ASCII and drops what it cannot.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r > ' ' && r < 0x7f:
			b.WriteByte(byte(r))
		case r >= 0xC0:
			b.WriteString(foldLetter(r))
		}
	}
	return b.String()
}

// foldLetter is the plain form of a Latin letter with a mark, or of a ligature
// or a punctuation mark.
func foldLetter(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'æ', 'Æ':
		return "ae"
	case 'œ', 'Œ':
		return "oe"
	case 'þ', 'Þ', 'ð', 'Ð':
		return "th"
	case '‘', '’':
		return "'"
	case '，', '、':
		return ","
	case '。':
		return "."
	case '！':
		return "!"
	case '？':
		return "?"
	}
	const groups = "aàáâãäåāăąǎ cçćĉċč dďđ eèéêëēĕėęě gĝğġģ hĥħ iìíîïĩīĭįıǐ jĵ kķ lĺļľŀł nñńņňŋ oòóôõöøōŏőǒ rŕŗř sśŝşšș tţťŧț uùúûüũūŭůűųǔ wŵ yýÿŷ zźżž"
	lower := unicode.ToLower(r)
	for group := range strings.FieldsSeq(groups) {
		if strings.ContainsRune(group[1:], lower) {
			if lower != r {
				return strings.ToUpper(group[:1])
			}
			return group[:1]
		}
	}
	return ""
}
