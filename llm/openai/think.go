package openai

import "strings"

// The marks around the reasoning that some models put into their text.
const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
)

// thinkFilter takes reasoning out of a text that comes in pieces, however the
// marks are cut, and the blank space before the first word that is left.
type thinkFilter struct {
	inside  bool
	started bool   // something was let through
	held    string // the end of what came so far, which may be the begin of a mark
}

// write returns what of s, and of what was held back, may be spoken.
func (f *thinkFilter) write(s string) string {
	s = f.held + s
	f.held = ""
	var out strings.Builder
	for s != "" {
		mark := thinkOpen
		if f.inside {
			mark = thinkClose
		}
		before, after, found := strings.Cut(s, mark)
		if !found {
			before, f.held = splitPartial(s, mark)
		}
		if !f.inside {
			out.WriteString(before)
		}
		if !found {
			break
		}
		f.inside = !f.inside
		s = after
	}
	return f.trim(out.String())
}

// flush returns what is still held back when the text has ended.
func (f *thinkFilter) flush() string {
	held := f.held
	f.held = ""
	if f.inside {
		return ""
	}
	return f.trim(held)
}

func (f *thinkFilter) trim(s string) string {
	if !f.started {
		s = strings.TrimLeft(s, " \t\r\n")
		f.started = s != ""
	}
	return s
}

// splitPartial splits s before the longest end that is a beginning of mark.
func splitPartial(s, mark string) (before, partial string) {
	for n := min(len(mark)-1, len(s)); n > 0; n-- {
		if strings.HasSuffix(s, mark[:n]) {
			return s[:len(s)-n], s[len(s)-n:]
		}
	}
	return s, ""
}
