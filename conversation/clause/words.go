package clause

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// classify tells whether r may end a clause, and whether it does so without
// white space after it. begun: the line has text before r.
func classify(r, prev rune, begun bool) (m mark, wide bool) {
	switch r {
	case '.':
		return dot, false
	case '!', '?', '؟', '۔', '।', '॥':
		return strong, false
	case ',', ';', ':', '،', '؛', '…':
		return soft, false
	case '。', '！', '？', '｡':
		return strong, true
	case '，', '、', '；', '：', '､':
		return soft, true
	case '—', '―':
		// A line that begins with a dash is dialogue or a list.
		if begun && !unicode.IsDigit(prev) {
			return soft, true
		}
	case '–':
		if begun {
			return soft, false
		}
	case '-':
		if begun && (prev == '-' || unicode.IsSpace(prev)) {
			return soft, false
		}
	}
	return none, false
}

// isCloser tells whether r belongs to the clause that a mark before it ends.
func isCloser(r rune) bool {
	switch r {
	case '"', '\'', ')', ']', '}', '*', '_', '`', '~', '”', '’', '»', '›', '」', '』', '）', '】', '》', '〉', '〕':
		return true
	}
	return false
}

// weigh is 2 for what is one syllable or more, else 1.
func weigh(r rune) int {
	if r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
		return 2
	}
	return 1
}

// kindOfMark resolves a full stop by the word it follows.
func (c *Cutter) kindOfMark() mark {
	s := &c.scan
	if s.mark != dot {
		return s.mark
	}
	text := c.buf[c.from : c.from+s.markAt]
	i := bytes.LastIndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || isOpener(r) })
	if i >= 0 {
		_, size := utf8.DecodeRune(text[i:])
		i += size
	} else {
		i = 0
	}
	word := text[i:]
	lineStart := !c.midLine0() && len(bytes.TrimSpace(text[min(s.line, len(text)):i])) == 0
	switch {
	case len(word) == 0 || word[len(word)-1] == '.':
		return soft // an ellipsis
	case lineStart && len(word) <= 3 && isNumber(word):
		return none // "1." begins an item of a list
	case isInitial(word, lineStart):
		return none
	}
	return abbreviation(word)
}

func isOpener(r rune) bool {
	switch r {
	case '(', '[', '{', '"', '\'', '*', '_', '“', '‘', '«', '/', '-', '—', '–':
		return true
	}
	return false
}

func isNumber(word []byte) bool {
	for _, b := range word {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// isInitial tells whether word is one capital letter ("J."), an item's letter at
// the start of a line ("a."), or letters with full stops between them ("e.g").
func isInitial(word []byte, lineStart bool) bool {
	letters := 0
	for len(word) > 0 {
		r, size := utf8.DecodeRune(word)
		if !unicode.IsLetter(r) {
			return false
		}
		letters++
		word = word[size:]
		if len(word) == 0 {
			return letters > 1 || unicode.IsUpper(r) || lineStart
		}
		if word[0] != '.' {
			return false
		}
		word = word[1:]
	}
	return false
}

// abbreviation tells what a full stop after word is: none after an abbreviation
// that something follows, maybe after one that a number follows, else strong.
func abbreviation(word []byte) mark {
	var lower [8]byte
	if len(word) > len(lower) {
		return strong
	}
	for i, b := range word {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	switch string(lower[:len(word)]) {
	case "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "gen", "col", "sgt", "capt", "lt", "maj", "rev", "hon", "gov", "sen", "rep", "pres",
		"mt", "ave", "blvd", "rd", "vs", "etc", "inc", "ltd", "co", "corp", "dept", "est", "approx", "al", "cf", "ca", "resp", "incl", "excl",
		"eg", "ie", "viz", "mme", "mlle", "mgr", "bzw", "usw", "evtl", "ggf", "inkl", "sra", "srta", "avda", "tel":
		return none
	case "no", "nos", "nr", "vol", "fig", "figs", "ch", "sec", "art", "p", "pp", "eq", "ver", "op",
		"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec":
		return maybe
	}
	return strong
}

// isConnector tells whether a clause may well end before word.
func isConnector(word []byte) bool {
	var lower [8]byte
	if len(word) > len(lower) {
		return false
	}
	for i, b := range word {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	switch string(lower[:len(word)]) {
	case "and", "but", "or", "so", "because", "that", "which", "who", "when", "where", "while", "if", "though", "although", "since", "until", "unless",
		"than", "as", "to", "for", "with", "from", "in", "on", "at", "by", "of", "the", "a", "an", "your", "my", "their", "its", "our",
		"und", "oder", "aber", "dass", "weil", "wenn", "mit", "von", "für", "der", "die", "das", "ein", "eine",
		"et", "ou", "mais", "que", "qui", "pour", "avec", "dans", "le", "la", "les", "un", "une", "y", "o", "pero", "para", "con", "el", "los", "las", "una":
		return true
	}
	return false
}
