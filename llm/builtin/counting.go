package builtin

import (
	"fmt"
	"math/big"
	"strings"
)

// maxCount is how far the assistant counts in one breath.
const maxCount = 30

// counting counts, up or down.
func counting(q query) (answer, bool) {
	words, ok := after(q.core, "count")
	if !ok {
		return pass()
	}
	down := false
	for _, w := range []string{"down", "backwards", "backward", "up"} {
		if rest, ok := after(words, w); ok {
			down = down || w != "up"
			words = rest
		}
	}
	low, high, rest, ok := span(words, down)
	if ok && len(rest) > 0 {
		return pass()
	}
	if !ok {
		return say("Tell me how far, for instance “count to ten”.")
	}
	if low > high {
		low, high, down = high, low, true
	}
	if high-low >= maxCount {
		return say(fmt.Sprintf("That would take a while: I count at most %d numbers at a time.", maxCount))
	}
	var parts []string
	for n := low; n <= high; n++ {
		parts = append(parts, fmt.Sprint(n))
	}
	if down {
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
			parts[i], parts[j] = parts[j], parts[i]
		}
	}
	return say(strings.Join(parts, ", ") + ".")
}

// span reads "to ten", "from five to fifteen", "from ten", and returns the
// words that are left.
func span(words []string, down bool) (low, high int64, rest []string, ok bool) {
	first := int64(-1)
	if from, ok := after(words, "from"); ok {
		v, n := operand(from)
		if n == 0 || !isCountable(v) {
			return 0, 0, nil, false
		}
		first, words = v.Num().Int64(), from[n:]
	}
	rest, to := after(words, "to", "up to", "until", "down to")
	last, n := operand(rest)
	switch {
	case n > 0 && isCountable(last) && (to || first < 0):
		if first < 0 {
			first = 1
		}
		return first, last.Num().Int64(), rest[n:], true
	case first >= 0 && down:
		return first, 1, rest, true
	}
	return 0, 0, nil, false
}

func isCountable(v *big.Rat) bool {
	return v.IsInt() && v.Num().IsInt64() && v.Num().Int64() >= 0 && v.Num().Int64() < 1e12
}
