package builtin

import (
	"math/big"
	"slices"
	"strings"
)

// The words for small numbers; the index is the value.
var smallNumbers = []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
	"thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"}

var tens = []string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}

var ordinals = []string{"", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
	"twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"}

// small returns the value of a word below twenty, -1 for any other. Long words
// may have one letter wrong.
func small(w string) int { return find(w, smallNumbers) }

func find(w string, in []string) int {
	if w == "" {
		return -1
	}
	if i := slices.Index(in, w); i >= 0 {
		return i
	}
	if w == "fourty" || w == "ninty" || len(w) >= 6 && !slices.Contains(ordinals, w) {
		for i, v := range in {
			if len(v) >= 5 && distance(w, v) == 1 && !strings.HasSuffix(w, "th") {
				return i
			}
		}
	}
	return -1
}

// homophones are words that a recogniser writes for a number. They count only
// where nothing but a number can be.
func homophones(w string) (int64, bool) {
	switch w {
	case "won", "wan":
		return 1, true
	case "to", "too":
		return 2, true
	case "tree":
		return 3, true
	case "for", "fore":
		return 4, true
	case "fife":
		return 5, true
	case "sex":
		return 6, true
	case "ate":
		return 8, true
	case "tin":
		return 10, true
	}
	return 0, false
}

// operand is number, or else a homophone.
func operand(words []string) (*big.Rat, int) {
	if v, n := number(words); n > 0 {
		return v, n
	}
	if len(words) > 0 {
		if v, ok := homophones(words[0]); ok {
			return big.NewRat(v, 1), 1
		}
	}
	return nil, 0
}

// number reads the number at the beginning of words, spoken or in digits, and
// returns how many words it takes; 0 when there is none. It knows "two hundred
// and five", "three point one four", "2.5 million", "a dozen", "three
// quarters", "one and a half".
func number(words []string) (*big.Rat, int) {
	if v, n := fraction(words); n > 0 {
		rest, _ := after(words[n:], "a") // half a million
		if len(rest) > 0 && scale(rest[0]) > 0 {
			return new(big.Rat).Mul(v, big.NewRat(scale(rest[0]), 1)), len(words) - len(rest) + 1
		}
		return v, n
	}
	if hasPrefix(words, []string{"a", "dozen"}) {
		return big.NewRat(12, 1), 2
	}
	v, n := whole(words)
	if n == 0 {
		return nil, 0
	}
	rest := words[n:]
	open := isDigit(rune(words[0][0])) // a scale may follow that whole has not seen to
	if hasPrefix(rest, []string{"point"}) {
		if digits, m := decimals(rest[1:]); m > 0 {
			v = new(big.Rat).Add(v, digits)
			n += 1 + m
			rest, open = words[n:], true
		}
	}
	if hasPrefix(rest, []string{"and"}) { // one and a half
		if f, m := fraction(rest[1:]); m > 0 {
			v = new(big.Rat).Add(v, f)
			n += 1 + m
			rest, open = words[n:], true
		}
	}
	if len(rest) > 0 {
		if s := scale(rest[0]); s == 12 || s > 0 && open { // 2.5 million, two and a half thousand
			v = new(big.Rat).Mul(v, big.NewRat(s, 1))
			n++
		}
	}
	return v, n
}

func scale(w string) int64 {
	switch strings.TrimSuffix(w, "s") {
	case "hundred":
		return 100
	case "thousand":
		return 1e3
	case "million":
		return 1e6
	case "billion":
		return 1e9
	case "trillion":
		return 1e12
	case "dozen":
		return 12
	}
	return 0
}

// whole reads a whole number in words, or a number in digits.
func whole(words []string) (*big.Rat, int) {
	if len(words) == 0 {
		return nil, 0
	}
	if v, ok := digits(words[0]); ok {
		return v, 1
	}
	i := 0
	if words[0] == "a" && len(words) > 1 && scale(words[1]) > 0 {
		i = 1 // a hundred
	}
	var total, current int64
	read := 0 // words that belong to the number for certain
	if i == 1 {
		current = 1
	}
	for i < len(words) {
		w := words[i]
		if w == "and" && read > 0 && current%100 == 0 && i+1 < len(words) && isBelowHundred(words[i+1]) {
			i++
			continue
		}
		s := scale(w)
		switch {
		case s == 100 && current > 0 && current < 100:
			current *= 100
		case s >= 1000 && current > 0 && total%(s*1000) == 0:
			total += current * s
			current = 0
		case find(w, tens) > 0 && current%100 == 0:
			current += int64(find(w, tens)) * 10
		case small(w) >= 0 && fits(current, int64(small(w)), read):
			current += int64(small(w))
		default:
			return big.NewRat(total+current, 1), read
		}
		i++
		read = i
	}
	return big.NewRat(total+current, 1), read
}

// fits reports whether the word n below twenty may follow what makes current.
func fits(current, n int64, read int) bool {
	if n == 0 {
		return read == 0
	}
	return current%100 == 0 || n < 10 && current%10 == 0 && current%100 >= 20
}

func isBelowHundred(w string) bool { return small(w) > 0 || find(w, tens) > 0 }

// digits reads a number in digits. Its length is limited: it comes from a
// caller and is calculated with.
func digits(w string) (*big.Rat, bool) {
	if len(w) == 0 || len(w) > 40 || !isDigit(rune(w[0])) || strings.Trim(w, "0123456789.") != "" || strings.Count(w, ".") > 1 {
		return nil, false
	}
	return new(big.Rat).SetString(w)
}

// decimals reads the digits after a spoken point: "one four", "twenty five".
func decimals(words []string) (*big.Rat, int) {
	text, n := "", 0
	for n < len(words) && len(text) < 12 {
		w := words[n]
		if v := small(w); v >= 0 && v < 10 {
			text += string(rune('0' + v))
		} else if w == "oh" || w == "o" {
			text += "0"
		} else if strings.Trim(w, "0123456789") == "" {
			text += w
		} else if v, m := whole(words[n:]); m > 0 && text == "" {
			text, n = v.Num().String(), m
			break
		} else {
			break
		}
		n++
	}
	if text == "" {
		return nil, 0
	}
	v, ok := new(big.Rat).SetString("0." + text)
	if !ok {
		return nil, 0
	}
	return v, n
}

// fraction reads "half", "a quarter", "three quarters", "two thirds", "one fifth".
func fraction(words []string) (*big.Rat, int) {
	if len(words) == 0 {
		return nil, 0
	}
	if words[0] == "half" {
		return big.NewRat(1, 2), 1
	}
	count, n := int64(0), 0
	switch {
	case words[0] == "a" || words[0] == "an":
		count, n = 1, 1
	case small(words[0]) > 0:
		count, n = int64(small(words[0])), 1
	}
	if n == 0 || len(words) < 2 {
		return nil, 0
	}
	w := strings.TrimSuffix(words[1], "s")
	switch {
	case w == "half" || w == "halve":
		return big.NewRat(count, 2), 2
	case w == "quarter":
		return big.NewRat(count, 4), 2
	case w == "second" || w == "first": // a unit of time, or a rank
		return nil, 0
	}
	if d := slices.Index(ordinals, w); d > 2 {
		return big.NewRat(count, int64(d)), 2
	}
	return nil, 0
}

// ordinal reads "third", "twenty first", "3rd" or "3", from 1 to 99.
func ordinal(words []string) (int, int) {
	if len(words) == 0 {
		return 0, 0
	}
	w := words[0]
	if isDigit(rune(w[0])) {
		if v, ok := digits(strings.TrimRight(w, "sndrth")); ok && v.IsInt() && v.Num().IsInt64() && v.Num().Int64() < 100 {
			return int(v.Num().Int64()), 1
		}
		return 0, 0
	}
	if i := slices.Index(ordinals, w); i > 0 {
		return i, 1
	}
	if w == "thirtieth" {
		return 30, 1
	}
	if t := find(w, tens); t > 0 && len(words) > 1 {
		if i := slices.Index(ordinals, words[1]); i > 0 && i < 10 {
			return t*10 + i, 2
		}
	}
	return 0, 0
}
