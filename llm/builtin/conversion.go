package builtin

import (
	"math/big"
	"slices"
	"strings"
)

// conversion answers "five miles in kilometers" and "how many centimeters in
// an inch", in their many forms.
func conversion(q query) (answer, bool) {
	if a, ok := howMany(q.core); ok {
		return a, true
	}
	words, _ := after(q.core, "what is", "what are", "what would be", "convert", "change", "turn", "express", "switch",
		"translate", "calculate", "how much is", "how much are",
		"how far is", "how long is", "how tall is", "how heavy is", "how hot is", "how cold is", "how warm is",
		"how fast is", "how big is", "how high is", "is", "conversion of")
	from, used := quantity(words)
	if used == 0 {
		from, used = bareDegrees(words)
	}
	if used == 0 {
		return pass()
	}
	rest, ok := after(words[used:], "to", "into", "in", "as", "is how many", "equals how many", "are how many",
		"is what in", "expressed in", "two", "converted to", "is in")
	if !ok {
		return pass()
	}
	to, n := matchUnit(rest)
	if n == 0 || len(rest) != n {
		return pass()
	}
	return convert(from, to)
}

// howMany answers "how many feet (are there) in (a) mile".
func howMany(words []string) (answer, bool) {
	rest, ok := after(words, "how many", "how much")
	if !ok {
		return pass()
	}
	to, n := matchUnit(rest)
	if n == 0 {
		return pass()
	}
	rest = rest[n:]
	linked := false
	for len(rest) > 0 && slices.Contains([]string{"are", "is", "there", "in", "the", "per", "do", "does", "you", "get",
		"make", "makes", "up", "to", "of", "equal", "equals",
		"contains", "have", "has", "and", "go", "into", "fit", "inside"}, rest[0]) {
		linked, rest = true, rest[1:]
	}
	from, used := quantity(rest)
	rest = rest[used:]
	if !linked || used == 0 || len(rest) > 0 && !slices.Equal(rest, []string{"have"}) && !slices.Equal(rest, []string{"long"}) {
		return pass()
	}
	return convert(from, to)
}

// amount is a quantity with its unit; several of one dimension add up.
type amount struct {
	base  *big.Rat // in the base unit
	unit  unit     // of the first part
	say   string
	exact *big.Rat // number of the first part
}

// quantity reads "five miles", "a mile", "mile", "six feet two inches".
func quantity(words []string) (amount, int) {
	a, used := part(words)
	if inches, n := bareInches(a, words[used:]); n > 0 {
		return inches, used + n
	}
	for used > 0 {
		skip := 0
		if used < len(words) && words[used] == "and" {
			skip = 1
		}
		more, n := part(words[used+skip:])
		if n < 2 || more.unit.dim != a.unit.dim || a.unit.dim == temperature {
			break
		}
		a.base = new(big.Rat).Add(a.base, more.base)
		a.say += " " + more.say
		used += skip + n
	}
	return a, used
}

// bareDegrees reads "twenty degrees" where only the other scale is named.
func bareDegrees(words []string) (amount, int) {
	i := slices.IndexFunc(words, func(w string) bool { return w == "degrees" || w == "degree" })
	if i < 1 {
		return amount{}, 0
	}
	scale := "celsius"
	if slices.Contains(words[i:], scale) {
		scale = "fahrenheit"
	}
	a, n := part(append(slices.Clone(words[:i+1]), scale))
	if n != i+2 {
		return amount{}, 0
	}
	return a, i + 1
}

// bareInches reads "two" after "six foot".
func bareInches(feet amount, words []string) (amount, int) {
	if feet.unit.one != "foot" || len(words) == 0 {
		return amount{}, 0
	}
	v, n := whole(words)
	if n != 1 || v.Sign() <= 0 || v.Cmp(big.NewRat(12, 1)) >= 0 {
		return amount{}, 0
	}
	inch, _ := matchUnit([]string{"inch"})
	if _, m := matchUnit(words[n:]); m > 0 {
		return amount{}, 0 // a part of its own, with its unit
	}
	feet.base = new(big.Rat).Add(feet.base, inch.toBase(v))
	text, _ := rounded(v, 0)
	feet.say += " " + text + " " + inch.name(v)
	return feet, n
}

// part reads one number, 1 where there is none, and its unit. A little number
// of a large scale counts as said: "a hundred fahrenheit".
func part(words []string) (amount, int) {
	v, n := number(words)
	minus := false
	if n == 0 && len(words) > 1 && (words[0] == "minus" || words[0] == "negative") {
		if v, n = number(words[1:]); n > 0 {
			minus = true
			n++
			v = new(big.Rat).Neg(v)
		}
	}
	if n == 0 {
		v = big.NewRat(1, 1)
		if len(words) > 0 && (words[0] == "a" || words[0] == "an" || words[0] == "the") {
			n = 1
		}
	}
	rest := words[n:]
	if len(rest) > 1 && (rest[0] == "a" || rest[0] == "an" || rest[0] == "of") && n > 0 { // half a mile, three quarters of a mile
		rest = rest[1:]
		n++
		if rest[0] == "a" || rest[0] == "an" {
			rest = rest[1:]
			n++
		}
	}
	u, m := matchUnit(rest)
	if m == 0 || minus && u.dim != temperature {
		return amount{}, 0
	}
	n += m
	if f, k := trailingFraction(words[n:]); k > 0 { // an hour and a half
		v = new(big.Rat).Add(v, f)
		n += k
	}
	say, _ := rounded(v, 6)
	return amount{base: u.toBase(v), unit: u, say: say + " " + u.name(v), exact: v}, n
}

// trailingFraction reads "and a half" after a unit.
func trailingFraction(words []string) (*big.Rat, int) {
	if !hasPrefix(words, []string{"and"}) {
		return nil, 0
	}
	f, n := fraction(words[1:])
	if n == 0 || n+1 < len(words) && words[n+1] == "of" {
		return nil, 0
	}
	if _, m := matchUnit(words[1+n:]); m > 0 {
		return nil, 0 // a quantity of its own
	}
	return f, n + 1
}

// convert says what from is in the unit to.
func convert(from amount, to unit) (answer, bool) {
	from, to = sameOunce(from, to)
	if from.unit.dim != to.dim {
		return say("I cannot turn " + from.unit.many + " into " + to.many + ": one is " + string(from.unit.dim) + ", the other " + string(to.dim) + ".")
	}
	if from.unit.dim == temperature && from.base.Sign() < 0 {
		return say("Nothing can be that cold: it is below absolute zero.")
	}
	v := to.fromBase(from.base)
	places := 2
	if to.dim == temperature {
		places = 1
	}
	return say(sentence(from.say + " is " + spoken(v, places) + " " + to.name(v)))
}

// sameOunce takes an ounce beside a volume for a fluid ounce.
func sameOunce(from amount, to unit) (amount, unit) {
	fluid, _ := matchUnit([]string{"fluid", "ounce"})
	switch {
	case from.unit.dim == volume && to.one == "ounce":
		to = fluid
	case to.dim == volume && from.unit.one == "ounce" && from.exact != nil:
		from.unit = fluid
		from.base = fluid.toBase(from.exact)
		from.say = strings.Replace(from.say, "ounce", "fluid ounce", 1)
	}
	return from, to
}
