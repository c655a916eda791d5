package clause

import (
	"bytes"
	"unicode"
)

// maxFence bounds, in bytes, the fenced code block that is kept in one piece.
const maxFence = 64 << 10

// mark is the punctuation that was passed, where it may end a clause.
type mark uint8

const (
	none   mark = 0
	soft   mark = 1 // comma, semicolon, colon, dash, ellipsis
	strong mark = 2 // end of a sentence or a line
	dot    mark = 3 // a full stop or an abbreviation's: the word before it tells
	maybe  mark = 4 // an abbreviation if a number follows ("No. 5"), else strong
)

// scan is what is known of the clause in the making. Offsets are in bytes from
// its start.
type scan struct {
	pos    int  // looked at so far
	prev   rune // the rune before pos; 0 at the start
	line   int  // start of the line
	begun  bool // the line has more than white space
	fenced bool // inside a fenced code block, which begins the clause
	word   int  // start of the last word
	words  int  // words that have ended
	weight int

	mark     mark
	wide     bool // the mark needs no space after it
	markAt   int  // offset of the mark
	deferred int  // where the clause ends if no number follows; 0: nowhere
	softEnd  int  // end of the last boundary that was too early to cut at
	space    int  // just after the last white space between words
}

// look takes the next rune into account. It returns the length of the clause
// that is complete now, or else 0, and then the rune has been passed.
func (c *Cutter) look(r rune, size int) (end int) {
	s := &c.scan
	switch {
	case s.fenced:
		end = c.lookFenced(r, size)
	case unicode.IsSpace(r):
		end = c.lookSpace(r, size)
	default:
		end = c.lookText(r, size)
	}
	if end > 0 {
		return end
	}
	s.pos += size
	s.prev = r
	if r == '\n' {
		s.line, s.begun = s.pos, false
	}
	return 0
}

// lookFenced waits for the line that closes the code block.
func (c *Cutter) lookFenced(r rune, size int) int {
	s := &c.scan
	if s.pos >= maxFence || r == '\n' && isFence(c.buf[c.from+s.line:c.from+s.pos]) {
		return s.pos + size
	}
	return 0
}

func isFence(line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	return bytes.HasPrefix(line, []byte("```")) || bytes.HasPrefix(line, []byte("~~~"))
}

// lookSpace decides at white space, where most clauses end.
func (c *Cutter) lookSpace(r rune, size int) int {
	s := &c.scan
	end := s.pos + size
	kind := none
	if r == '\n' {
		if s.begun && !c.midLine0() && isFence(c.buf[c.from+s.line:c.from+s.pos]) {
			if s.weight > 0 && s.line > 0 && len(bytes.TrimSpace(c.buf[c.from:c.from+s.line])) > 0 {
				return s.line // what stands before the code is a clause of its own
			}
			s.fenced = true
			return 0
		}
		kind, s.deferred = strong, 0
	}
	if s.weight == 0 {
		return 0
	}
	s.weight++
	if unicode.IsSpace(s.prev) {
		if kind == none {
			return 0
		}
	} else {
		s.words++
		if kind == none {
			kind = c.kindOfMark()
		}
	}
	if kind == maybe {
		s.deferred, kind = end, none
	}
	if kind == none && unicode.In(s.prev, unicode.Thai, unicode.Lao, unicode.Khmer) {
		kind = soft // these scripts put spaces between phrases, not words
	}
	s.mark = none
	cut := c.decide(kind, end)
	s.space = end
	return cut
}

// midLine0 tells whether the current line began in the clause before.
func (c *Cutter) midLine0() bool { return c.midLine && c.scan.line == 0 }

// lookText decides before a rune that is not white space.
func (c *Cutter) lookText(r rune, size int) int {
	s := &c.scan
	if s.deferred > 0 {
		end := s.deferred
		s.deferred = 0
		if !unicode.IsDigit(r) {
			if cut := c.decide(strong, end); cut > 0 {
				return cut
			}
		}
	}
	m, wide := classify(r, s.prev, s.begun)
	closer := m == none && s.mark != none && isCloser(r)
	if s.mark != none && s.wide && m == none && !closer {
		kind := s.mark
		s.mark = none
		if cut := c.decide(kind, s.pos); cut > 0 {
			return cut
		}
	}
	switch {
	case m != none:
		s.mark, s.wide, s.markAt = m, wide, s.pos
	case !closer:
		s.mark = none
	}
	if s.prev == 0 || unicode.IsSpace(s.prev) {
		s.word = s.pos
	}
	w := weigh(r)
	s.weight += w
	s.begun = true
	if s.weight >= 2*c.opt.Max || s.weight >= c.opt.Max && w > 1 && s.softEnd == 0 && !isCloser(r) && m == none {
		// No space for very long, or a script that has none.
		if s.pos > 0 && s.space == 0 {
			return s.pos
		}
		return c.best(s.pos)
	}
	return 0
}

// decide says whether the clause ends at end, a boundary of the given kind: it
// returns the clause's length, or 0 to go on.
func (c *Cutter) decide(kind mark, end int) int {
	s := &c.scan
	first := c.count == 0
	switch kind {
	case strong:
		if first && s.weight >= c.opt.First || s.weight >= c.opt.Min {
			return end
		}
	case soft:
		if s.weight >= c.softMin() {
			return end
		}
	}
	if kind != none && s.weight >= c.opt.First {
		s.softEnd = end
	}
	if first && kind == none && s.weight >= c.opt.First {
		if cut := c.cutWords(end); cut > 0 {
			return cut
		}
	}
	if s.weight >= c.opt.Max {
		return c.best(end)
	}
	return 0
}

// softMin is the weight from which a comma ends a clause. It grows, because
// with every clause more audio is ahead of the listener, and longer pieces
// sound better.
func (c *Cutter) softMin() int {
	switch c.count {
	case 0:
		return c.opt.First
	case 1:
		return max(c.opt.First, c.opt.Max/5)
	case 2:
		return max(c.opt.First, c.opt.Max*2/5)
	default:
		return max(c.opt.First, c.opt.Max*3/5)
	}
}

// cutWords ends a first clause that has no punctuation: before a connecting
// word, or after too many words, though never right after a number, whose unit
// may follow.
func (c *Cutter) cutWords(end int) int {
	s := &c.scan
	if s.words > c.opt.FirstWords && s.word > 0 && isConnector(c.buf[c.from+s.word:c.from+s.pos]) {
		return s.word
	}
	if s.words >= c.opt.MaxWords && !unicode.IsDigit(s.prev) {
		return end
	}
	return 0
}

// best is the best end there was for a clause that is too long; end at worst.
func (c *Cutter) best(end int) int {
	switch s := &c.scan; {
	case s.softEnd > 0:
		return s.softEnd
	case s.space > 0:
		return s.space
	}
	return end
}
