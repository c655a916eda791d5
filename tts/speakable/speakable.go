// Package speakable makes written text fit to be read aloud: it takes off
// markdown, HTML, emoji and control characters, says what a link is called
// instead of spelling its address, and writes out the symbols and units that
// voices read wrongly. What a voice reads well is left as it is.
//
// May import: the standard library only.
// Concurrency: pure functions.
package speakable

import (
	"html"
	"strings"
	"unicode"
)

// Text returns s as it should be spoken in language (BCP 47; "" is English),
// on one line, or "" when there is nothing to say. s is a clause: markup that
// begins or ends in another clause is taken off as well. Words are only put in
// for English; in other languages symbols are left to the voice.
func Text(s, language string) string {
	if isPlain(s) {
		return s
	}
	english := isEnglish(language)
	if strings.ContainsRune(s, '&') {
		s = html.UnescapeString(s)
	}
	s = characters(s)
	s = markdown(s, english)
	s = links(s, english)
	if english {
		s = money(s)
		s = units(s)
		s = numbers(s)
		s = symbols(s)
	}
	s = leftovers(s)
	s = punctuation(s)
	if !hasWord(s) {
		return ""
	}
	return s
}

func isEnglish(language string) bool {
	tag, _, _ := strings.Cut(strings.ReplaceAll(language, "_", "-"), "-")
	return tag == "" || strings.EqualFold(tag, "en")
}

// isPlain tells whether s needs nothing: the case that should cost nothing.
func isPlain(s string) bool {
	letters := false
	for i := range len(s) {
		switch b := s[i]; {
		case b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z':
			letters = true
		case b == ' ':
			if i == 0 || i == len(s)-1 || s[i-1] == ' ' {
				return false
			}
		case b == '.' || b == ',' || b == '!' || b == '?' || b == ';':
			if i == 0 || s[i-1] == ' ' || i+1 < len(s) && s[i+1] != ' ' {
				return false
			}
		case b == '\'':
		default:
			return false
		}
	}
	return letters
}

func hasWord(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

// characters replaces typographic variants by their plain forms and drops what
// has no sound: control and format characters, emoji, invalid bytes.
func characters(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r == '\n' || r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case r == '‘' || r == '’' || r == 'ʼ':
			b.WriteByte('\'')
		case r == '“' || r == '”' || r == '„' || r == '‟':
			b.WriteByte('"')
		case r == '‐' || r == '\u2011' || r == '−':
			b.WriteByte('-')
		case r == '…':
			b.WriteString("...")
		case r == '\ufffd' || isPictograph(r):
			b.WriteByte(' ')
		case r < ' ' || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Variation_Selector, unicode.Me):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPictograph tells emoji and ornaments, which have no sound, from signs that
// have one (arrows, mathematics, currencies, degrees).
func isPictograph(r rune) bool {
	switch {
	case r >= 0x1F000 && r <= 0x1FAFF, r >= 0xE0000 && r <= 0xE0FFF:
		return true // emoji, flags, cards, tags
	case r >= 0x2300 && r <= 0x23FF, r >= 0x2460 && r <= 0x27BF, r >= 0x2B00 && r <= 0x2BFF:
		return true // technical signs, boxes, dingbats, stars
	case r >= 0x2190 && r <= 0x21FF:
		return r != '→' && r != '←' && r != '↔' && r != '⇒'
	}
	return strings.ContainsRune("◦‣©®™†‡¶", r)
}

// punctuation puts everything on one line with single spaces, and leaves no
// space before a mark nor two marks where the first is enough.
func punctuation(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	var last rune
	space := false
	runes := []rune(s)
	for i, r := range runes {
		if unicode.IsSpace(r) {
			space = true
			continue
		}
		stop := isStop(r) && !(i+1 < len(runes) && isWord(runes[i+1]))
		if stop && (last == 0 || r == ',' && last != '.' && isStop(last)) {
			continue // there is nothing to pause after
		}
		if space && last != 0 && !stop {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
		last = r
	}
	return strings.TrimRight(b.String(), " -(")
}

func isStop(r rune) bool {
	switch r {
	case ',', '.', ';', ':', '!', '?', '，', '。', '、', '；', '：', '！', '？':
		return true
	}
	return false
}
