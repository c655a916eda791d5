package speakable

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	fenced     = regexp.MustCompile("(?s)(?:```|~~~).*?(?:```|~~~|$)")
	htmlTag    = regexp.MustCompile(`(?s)<!--.*?(?:-->|$)|</?[a-zA-Z][^<>\n]*>|<\|[^<>\n]*\|>`)
	link       = regexp.MustCompile(`!?\[([^\[\]\n]*)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\[\]\n]*\])`)
	linkTail   = regexp.MustCompile(`\]\([^()\s]*\)?`)
	citation   = regexp.MustCompile(`\[\^?\d{1,3}\]|\[\^[^\]\s]{1,20}\]|【[^】\n]*】`)
	lineMarker = regexp.MustCompile(`^\s*(?:>\s*)*(?:#{1,6}\s+|(?:[-*+•]\s+)(?:\[[ xX]\]\s*)?)?`)
	rule       = regexp.MustCompile(`^\s*(?:(?:[-*_=]\s*){3,}|[|:\s-]*-[|:\s-]*\|[|:\s-]*)$`)
	latex      = regexp.MustCompile(`\\[()\[\]]|\$\$`)
	fraction   = regexp.MustCompile(`\\d?frac\{([^{}]*)\}\{([^{}]*)\}`)
	command    = regexp.MustCompile(`\\([a-zA-Z]+)\s*`)
)

// codeNotice stands for a block of code, which nobody wants spelled out.
const codeNotice = "\nThe code is in the transcript.\n"

// markdown takes off the markup of s, whole or in part, and ends every line
// that is not the last like a sentence.
func markdown(s string, english bool) string {
	if strings.Contains(s, "```") || strings.Contains(s, "~~~") {
		notice := "\n"
		if english {
			notice = codeNotice
		}
		s = fenced.ReplaceAllString(s, notice)
	}
	if strings.ContainsRune(s, '<') {
		s = strings.ReplaceAll(s, "<http", " http")
		s = htmlTag.ReplaceAllString(s, " ")
	}
	if strings.ContainsRune(s, ']') {
		s = citation.ReplaceAllString(s, "")
		s = link.ReplaceAllString(s, "$1")
		s = linkTail.ReplaceAllString(s, "")
	}
	if strings.ContainsRune(s, '\\') || strings.Contains(s, "$$") {
		s = formulas(s, english)
	}
	var b strings.Builder
	b.Grow(len(s))
	for line := range strings.SplitSeq(s, "\n") {
		line = oneLine(line)
		if line == "" {
			continue
		}
		if b.Len() > 0 {
			endLine(&b)
		}
		b.WriteString(line)
	}
	return b.String()
}

// formulas writes out the little LaTeX that models like to use.
func formulas(s string, english bool) string {
	s = latex.ReplaceAllString(s, " ")
	over := "$1 / $2"
	if english {
		over = "$1 over $2"
		s = strings.NewReplacer(`\times`, " times ", `\cdot`, " times ", `\div`, " divided by ", `\sqrt`, " the square root of ",
			`\le`, " ≤ ", `\ge`, " ≥ ", `\pm`, " plus or minus ", `\approx`, " about ").Replace(s)
	}
	s = fraction.ReplaceAllString(s, over)
	return command.ReplaceAllString(s, "$1 ")
}

func oneLine(line string) string {
	if rule.MatchString(line) {
		return ""
	}
	line = line[len(lineMarker.FindString(line)):]
	if strings.Count(line, "|") >= 2 { // a row of a table
		cells := strings.FieldsFunc(line, func(r rune) bool { return r == '|' })
		out := cells[:0]
		for _, c := range cells {
			if c = strings.TrimSpace(c); c != "" {
				out = append(out, c)
			}
		}
		line = strings.Join(out, ", ")
	}
	return strings.TrimRightFunc(line, unicode.IsSpace)
}

// endLine separates a line from the next as a full stop does, unless it ends
// in punctuation of its own.
func endLine(b *strings.Builder) {
	s := strings.TrimRight(b.String(), "*_~'\")")
	if last, ok := lastRune(s); ok && unicode.IsPunct(last) {
		b.WriteByte(' ')
		return
	}
	b.WriteString(". ")
}

func lastRune(s string) (last rune, ok bool) {
	for _, r := range s[max(0, len(s)-4):] {
		last, ok = r, true
	}
	return last, ok
}

// leftovers drops emphasis and brackets that are left, and what is not said.
func leftovers(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	runes := []rune(s)
	at := func(i int) rune {
		if i < 0 || i >= len(runes) {
			return ' '
		}
		return runes[i]
	}
	for i, r := range runes {
		switch r {
		case '*', '~', '^', '\\', '|', '{', '}', '[', ']', '`', '#':
			if isWord(at(i-1)) && isWord(at(i+1)) {
				b.WriteByte(' ')
			}
		case '_':
			b.WriteByte(' ')
		case '<', '>':
			b.WriteByte(' ')
		case '\'': // an apostrophe stays, quotation marks go
			if isWord(at(i-1)) && (isWord(at(i+1)) || at(i-1) == 's') {
				b.WriteRune(r)
			}
		case '"', '«', '»', '‹', '›':
		case '—', '―', '–':
			b.WriteString(dash(at(i-1), at(i+1), r))
		case '-':
			if unicode.IsSpace(at(i-1)) && unicode.IsSpace(at(i+1)) || at(i-1) == '-' {
				b.WriteString(", ")
			} else if at(i+1) != '-' {
				b.WriteRune(r)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func dash(before, after, r rune) string {
	if r == '–' && !unicode.IsSpace(before) && !unicode.IsSpace(after) {
		return "-"
	}
	return ", "
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
