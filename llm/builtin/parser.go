package builtin

import (
	"math/big"
	"slices"
)

// parser reads a calculation in words by recursive descent:
//
//	sum     = product { ("plus" | "minus" | …) product }
//	product = power { ("times" | "divided by" | …) power }
//	power   = single { "squared" | "cubed" | "to the power of" power }
//	single  = number | "minus" single | "the square root of" power | number "percent of" power | …
//
// Every error that is not errNoSum is about the numbers, not the words.
type parser struct {
	words      []string
	at         int
	operations int // operators seen; without any it is no calculation
	depth      int
}

// maxDepth bounds the nesting of what a caller may say.
const maxDepth = 20

// whole reads all words, or fails.
func (p *parser) whole() (value, error) {
	v, err := p.command()
	if err == nil && p.at < len(p.words) {
		return value{}, errNoSum
	}
	return v, err
}

// take skips the words of the first of the phrases that is next.
func (p *parser) take(phrases ...string) bool {
	rest, ok := after(p.words[p.at:], phrases...)
	if ok {
		p.at = len(p.words) - len(rest)
	}
	return ok
}

// command reads "add two and three" and its like, or a sum.
func (p *parser) command() (value, error) {
	for _, c := range []struct {
		verb     string
		joints   []string
		operator string
		swap     bool
	}{
		{"add", []string{"and", "to", "plus", "with"}, "plus", false},
		{"subtract", []string{"from"}, "minus", true},
		{"take", []string{"from"}, "minus", true},
		{"multiply", []string{"by", "and", "with", "times"}, "times", false},
		{"divide", []string{"by"}, "divided by", false},
		{"the sum of", []string{"and"}, "plus", false},
		{"sum of", []string{"and"}, "plus", false},
		{"the product of", []string{"and"}, "times", false},
		{"the difference between", []string{"and"}, "minus", false},
		{"the difference of", []string{"and"}, "minus", false},
		{"the quotient of", []string{"and"}, "divided by", false},
		{"the remainder of", []string{"divided by"}, "modulo", false},
	} {
		if p.take(c.verb) {
			return p.joined(c.joints, c.operator, c.swap)
		}
	}
	return p.sum()
}

// joined reads "a and b", where and is one of joints.
func (p *parser) joined(joints []string, operator string, swap bool) (value, error) {
	a, err := p.single()
	if err != nil {
		return value{}, err
	}
	if !p.take(joints...) {
		return value{}, errNoSum
	}
	b, err := p.single()
	if err != nil {
		return value{}, err
	}
	p.operations++
	if swap {
		a, b = b, a
	}
	return combine(a, operator, b)
}

func (p *parser) sum() (value, error) {
	left, err := p.product()
	for err == nil {
		var operator string
		switch {
		case p.take("plus", "and", "added to", "plush", "pluss"):
			operator = "plus"
		case p.take("minus", "less", "take away", "subtract", "miners"):
			operator = "minus"
		default:
			return left, nil
		}
		var right value
		if right, err = p.product(); err == nil {
			p.operations++
			left, err = combine(left, operator, right)
		}
	}
	return value{}, err
}

func (p *parser) product() (value, error) {
	left, err := p.power()
	for err == nil {
		var operator string
		switch {
		case p.take("times", "time", "multiplied by", "multiply by", "x"):
			operator = "times"
		case p.take("divided by", "divide by", "divided", "over", "devided by", "divided bye"):
			operator = "divided by"
		case p.take("modulo", "mod"):
			operator = "modulo"
		default:
			return left, nil
		}
		var right value
		if right, err = p.power(); err == nil {
			p.operations++
			left, err = combine(left, operator, right)
		}
	}
	return value{}, err
}

func (p *parser) power() (value, error) {
	base, err := p.single()
	for err == nil {
		switch {
		case p.take("squared", "square"):
			base, err = raise(base, 2, "squared")
		case p.take("cubed"):
			base, err = raise(base, 3, "cubed")
		case p.take("to the power of", "raised to the power of", "to the power", "raised to"):
			base, err = p.exponent(base)
		case p.take("factorial"):
			base, err = factorial(base)
		case p.ordinalPower() > 0:
			e := p.ordinalPower()
			_, n := ordinal(p.words[p.at+2:])
			p.at += 2 + n
			p.take("power")
			base, err = raise(base, int64(e), "")
		default:
			return base, nil
		}
		p.operations++
	}
	return value{}, err
}

// ordinalPower returns e where "to the e-th" is next, else 0.
func (p *parser) ordinalPower() int {
	if !hasPrefix(p.words[p.at:], []string{"to", "the"}) {
		return 0
	}
	e, _ := ordinal(p.words[p.at+2:])
	return e
}

func (p *parser) exponent(base value) (value, error) {
	e, err := p.power() // from the right, as is usual
	if err != nil {
		return value{}, err
	}
	if !e.n.IsInt() || !e.n.Num().IsInt64() {
		return value{}, errTooLarge
	}
	return raise(base, e.n.Num().Int64(), "")
}

func (p *parser) single() (value, error) {
	if p.depth++; p.depth > maxDepth {
		return value{}, errNoSum
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("("):
		return p.bracket()
	case p.take("minus", "negative"):
		v, err := p.power()
		if err != nil {
			return value{}, err
		}
		return value{n: new(big.Rat).Neg(v.n), rough: v.rough, say: "minus " + v.say}, nil
	case p.take("the square root of", "square root of", "the root of", "root of", "square root", "the square root",
		"the square of root of"):
		return p.then(func(v value) (value, error) { return root(v, 2, "the square root of ") })
	case p.take("the cube root of", "cube root of"):
		return p.then(func(v value) (value, error) { return root(v, 3, "the cube root of ") })
	case p.take("the square of"):
		return p.then(func(v value) (value, error) { return raise(v, 2, "squared") })
	case p.take("factorial of", "the factorial of"):
		return p.then(factorial)
	case p.take("double", "twice"):
		return p.share(big.NewRat(2, 1), "2 times ")
	case p.take("triple"):
		return p.share(big.NewRat(3, 1), "3 times ")
	}
	return p.number()
}

// then applies f to the power that comes next.
func (p *parser) then(f func(value) (value, error)) (value, error) {
	v, err := p.power()
	if err != nil {
		return value{}, err
	}
	p.operations++
	return f(v)
}

func (p *parser) bracket() (value, error) {
	v, err := p.sum()
	if err == nil && !p.take(")") {
		err = errNoSum
	}
	v.say = "(" + v.say + ")"
	return v, err
}

// share is part times the power that comes next.
func (p *parser) share(part *big.Rat, said string) (value, error) {
	return p.then(func(v value) (value, error) {
		return checked(value{n: new(big.Rat).Mul(part, v.n), rough: v.rough, say: said + v.say})
	})
}

// number reads a number and what may follow it: "15 percent of 80", "half of 90".
func (p *parser) number() (value, error) {
	n, used := operand(p.words[p.at:])
	if used == 0 {
		return value{}, errNoSum
	}
	heard := p.words[p.at : p.at+used]
	p.at += used
	v := plain(n)
	if isFraction(heard) {
		v.say = fractionName(heard)
	}
	hundredth := new(big.Rat).Quo(n, big.NewRat(100, 1))
	switch {
	case p.take("percent of", "per cent of", "percent off of"):
		return p.share(hundredth, v.say+" percent of ")
	case p.take("percent off", "per cent off"):
		return p.share(new(big.Rat).Sub(big.NewRat(1, 1), hundredth), v.say+" percent off ")
	case p.take("percent", "per cent"):
		return value{n: hundredth, say: v.say + " percent"}, nil
	case isFraction(heard) && p.take("of"):
		return p.share(n, fractionName(heard)+" of ")
	}
	return v, nil
}

func isFraction(words []string) bool {
	_, n := fraction(words)
	return n == len(words)
}

func fractionName(words []string) string {
	if slices.Equal(words, []string{"a", "half"}) {
		return "half"
	}
	name := words[0]
	for _, w := range words[1:] {
		name += " " + w
	}
	return name
}
