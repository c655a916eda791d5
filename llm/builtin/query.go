package builtin

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"parley/llm"
)

// Limits on what is looked at, so that a huge message costs nothing.
const (
	maxText  = 2000 // bytes
	maxWords = 120
)

// query is what was asked, taken apart once for all skills.
type query struct {
	heard    string   // as it came, blanks joined
	words    []string // normalised, without fillers
	core     []string // words without a polite beginning such as "can you tell me"
	now      time.Time
	messages []llm.Message // what was said before
}

func newQuery(p llm.Prompt) query {
	q := query{now: p.Now, messages: p.Messages}
	if n := len(p.Messages); n > 0 && p.Messages[n-1].Role == llm.User {
		text := p.Messages[n-1].Text
		if len(text) > maxText {
			text = strings.ToValidUTF8(text[:maxText], "")
		}
		q.heard = strings.Join(strings.Fields(text), " ")
		q.messages = p.Messages[:n-1]
	}
	q.words = normalise(q.heard)
	if len(q.words) > maxWords {
		q.words = q.words[:maxWords]
	}
	q.core = stripPolite(q.words)
	return q
}

// lastSaid returns the last words of role, "" when there are none.
func (q query) lastSaid(role llm.Role) string {
	for _, m := range slices.Backward(q.messages) {
		if m.Role == role && strings.TrimSpace(m.Text) != "" {
			return strings.TrimSpace(m.Text)
		}
	}
	return ""
}

// has reports whether any of the words was said.
func (q query) has(any ...string) bool {
	return slices.ContainsFunc(q.words, func(w string) bool { return slices.Contains(any, w) })
}

// is reports whether what was asked is, give or take a mis-heard word, one of
// the phrases.
func (q query) is(phrases ...string) bool {
	return slices.ContainsFunc(phrases, func(p string) bool {
		n := 1 + strings.Count(p, " ")
		if !closeLength(n, len(q.core)) && !closeLength(n, len(q.words)) {
			return false
		}
		f := strings.Fields(p)
		return like(q.core, f) || len(q.words) != len(q.core) && like(q.words, f)
	})
}

// after returns the words that follow one of the beginnings, the longest where
// several fit.
func after(words []string, beginnings ...string) ([]string, bool) {
	best := -1
	for _, b := range beginnings {
		best = max(best, begins(words, b))
	}
	if best < 0 {
		return words, false
	}
	return words[best:], true
}

// begins returns how many words phrase has where words begin with it, else -1.
func begins(words []string, phrase string) int {
	for i, w := range words {
		rest, ok := strings.CutPrefix(phrase, w)
		if !ok || rest != "" && rest[0] != ' ' {
			return -1
		}
		if rest == "" {
			return i + 1
		}
		phrase = rest[1:]
	}
	return -1
}

// before returns the words without one of the endings.
func before(words []string, endings ...string) []string {
	for _, e := range endings {
		f := strings.Fields(e)
		if n := len(words) - len(f); n >= 0 && slices.Equal(words[n:], f) {
			return words[:n]
		}
	}
	return words
}

func hasPrefix(words, prefix []string) bool {
	return len(words) >= len(prefix) && slices.Equal(words[:len(prefix)], prefix)
}

// oneOf returns one of the options: another one each time in a call, the same
// one each time for the same prompt.
func (q query) oneOf(options ...string) string {
	return options[q.seed()%uint64(len(options))]
}

// seed is a number made from the prompt: the words, the length of the history
// and the clock.
func (q query) seed() uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.Join(q.words, " ")))
	var b [16]byte
	for i := range 8 {
		b[i] = byte(len(q.messages) >> (8 * i))
		b[8+i] = byte(q.now.UnixNano() >> (8 * i))
	}
	_, _ = h.Write(b[:])
	// FNV changes its low bits little for the last bytes; fold the high ones in.
	s := h.Sum64()
	return s ^ s>>29 ^ s>>47
}
