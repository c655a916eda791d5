// Package clause cuts the text of a language model, as it streams in, into
// clauses fit to be spoken one by one: the first as early as possible, later
// ones at sentence ends.
//
// May import: the standard library only.
// Concurrency: a Cutter belongs to one goroutine. It is pure: no clock, no
// goroutine, and what it returns depends on the text alone, not on how the text
// was split into deltas.
package clause

import (
	"bytes"
	"unicode/utf8"
)

// Options are the lengths a Cutter works with, in weight: a character of an
// alphabet weighs 1, a Chinese, Japanese or Korean one 2, since it takes about
// twice as long to say. Zero fields take the default in brackets.
type Options struct {
	First      int // least weight of the first clause [12]
	FirstWords int // words without punctuation after which the first clause may end before a connecting word [8]
	MaxWords   int // words after which the first clause ends at any space [12]
	Min        int // least weight of a later sentence; shorter ones are joined to the next [24]
	Max        int // weight after which a clause ends at the best place there was [200]
}

func (o Options) withDefaults() Options {
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&o.First, 12)
	set(&o.FirstWords, 8)
	set(&o.MaxWords, 12)
	set(&o.Min, 24)
	set(&o.Max, 200)
	return o
}

// Cutter cuts one reply after the other. The zero value is ready, with default
// options. Clauses keep their white space, so that joined they are the text
// that was pushed, byte for byte; only white space at the very end is dropped.
type Cutter struct {
	opt     Options
	buf     []byte // buf[from:] has not been handed out
	from    int
	count   int  // clauses of this reply handed out
	midLine bool // buf[from] continues the line of the clause before
	scan    scan
}

// New returns a Cutter with opt.
func New(opt Options) *Cutter { return &Cutter{opt: opt} }

// Push adds text and returns the clauses that are complete, most often none. A
// clause is complete once the rune after its end is known: a full stop at the
// end of the text may be a decimal point.
func (c *Cutter) Push(delta string) []string {
	if c.opt.First == 0 || c.opt.Max == 0 {
		c.opt = c.opt.withDefaults()
	}
	c.buf = append(c.buf, delta...)
	var out []string
	for {
		rest := c.buf[c.from+c.scan.pos:]
		if !utf8.FullRune(rest) {
			break
		}
		r, size := utf8.DecodeRune(rest)
		if end := c.look(r, size); end > 0 {
			out = append(out, c.take(end))
		}
	}
	if c.from > 0 {
		c.buf = c.buf[:copy(c.buf, c.buf[c.from:])]
		c.from = 0
	}
	return out
}

// Flush returns the rest of the reply, "" where nothing but white space is
// left, and makes the Cutter ready for the next reply.
func (c *Cutter) Flush() string {
	s := ""
	if rest := c.buf[c.from:]; len(bytes.TrimSpace(rest)) > 0 {
		s = string(rest)
	}
	*c = Cutter{opt: c.opt, buf: c.buf[:0]}
	return s
}

// take hands out the first end bytes and starts to look at the rest afresh.
func (c *Cutter) take(end int) string {
	s := string(c.buf[c.from : c.from+end])
	c.from += end
	c.count++
	c.midLine = s[len(s)-1] != '\n'
	c.scan = scan{}
	return s
}
