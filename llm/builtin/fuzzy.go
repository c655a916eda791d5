package builtin

import "slices"

// tolerance is the share of a phrase from which on it is another one.
const tolerance = 0.2

// like reports whether words are phrase, give or take what a recogniser gets
// wrong: a similar word costs its share of wrong letters, a little word that
// carries no meaning half, any other a whole (weighted Levenshtein distance).
func like(words, phrase []string) bool {
	if len(words) == 0 || len(phrase) >= maxPhrase || !closeLength(len(words), len(phrase)) {
		return false
	}
	limit := tolerance * float64(max(len(words), len(phrase)))
	var space [maxPhrase]float64
	row := space[:len(phrase)+1]
	for j, p := range phrase {
		row[j+1] = row[j] + weight(p)
	}
	for _, w := range words {
		diagonal := row[0]
		row[0] += weight(w)
		least := row[0]
		for j, p := range phrase {
			best := min(row[j]+weight(p), row[j+1]+weight(w), diagonal+replacing(w, p))
			diagonal, row[j+1] = row[j+1], best
			least = min(least, best)
		}
		if least >= limit {
			return false // it can only become more
		}
	}
	return row[len(phrase)] < limit
}

// maxPhrase is the number of words that phrases are shorter than.
const maxPhrase = 16

func closeLength(a, b int) bool { return a-b <= 2 && b-a <= 2 }

// weight is the cost of a word too many or missing.
func weight(w string) float64 {
	if isLittle(w) {
		return 0.5
	}
	return 1
}

func replacing(a, b string) float64 {
	if a == b {
		return 0
	}
	if isLittle(a) && isLittle(b) {
		return 0.5
	}
	longer := max(len(a), len(b))
	if 3*(longer-min(len(a), len(b))) > longer {
		return 1
	}
	if share := float64(distance(a, b)) / float64(longer); share <= 0.34 {
		return share
	}
	return 1
}

// isLittle reports whether w is a word that a recogniser easily adds, drops or
// mixes up, and that decides nothing. Not "I" and "you": they do.
func isLittle(w string) bool {
	switch w {
	case "a", "an", "the", "is", "it", "in", "that", "this", "of", "to", "as", "at", "and", "its":
		return true
	}
	return false
}

// maxWord is the number of bytes that words are compared by; longer ones are
// as far apart as can be.
const maxWord = 32

// distance is the Levenshtein distance of two words in bytes.
func distance(a, b string) int {
	if max(len(a), len(b)) >= maxWord {
		return maxWord
	}
	var space [maxWord]int
	row := space[:len(b)+1]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			best := min(row[j]+1, row[j+1]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], best
		}
	}
	return row[len(b)]
}

// near reports whether w is one of words, or long and but one letter off.
func near(w string, words ...string) bool {
	if slices.Contains(words, w) {
		return true
	}
	if len(w) < 5 {
		return false
	}
	return slices.ContainsFunc(words, func(v string) bool {
		return len(v) > 5 && len(v)-len(w) <= 1 && len(w)-len(v) <= 1 && distance(w, v) == 1
	})
}
