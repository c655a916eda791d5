package builtin

import (
	"math/big"
	"strings"

	"parley/llm"
)

// arithmetic answers a whole utterance that is a calculation, such as "what is
// twelve times seven". It repeats the calculation, so that the caller hears
// what was understood.
func arithmetic(q query) (answer, bool) {
	words := calculation(q.core)
	p := &parser{words: words}
	v, err := p.whole()
	if err == errNoSum || p.operations == 0 {
		return pass()
	}
	if err != nil {
		return say(err.Error())
	}
	return say(result(v))
}

// followUp continues from the number that the last answer ended with: "times
// two", "and plus five".
func followUp(q query) (answer, bool) {
	words := calculation(q.core)
	if rest, ok := after(words, "that"); ok {
		words = rest
	}
	if len(words) == 0 || !startsOperation(words) {
		return pass()
	}
	last := lastNumber(q.lastSaid(llm.Assistant))
	if last == "" {
		return pass()
	}
	p := &parser{words: append([]string{last}, words...)}
	v, err := p.whole()
	if err == errNoSum || p.operations == 0 {
		return pass()
	}
	if err != nil {
		return say(err.Error())
	}
	return say(result(v))
}

// result says a calculation and what it comes to.
func result(v value) string {
	places := 4
	if n, finite := v.n.FloatPrec(); finite && n <= 6 {
		places = 6
	}
	text, exact := rounded(v.n, places)
	if v.rough || !exact {
		text = "about " + text
	}
	return sentence(v.say + " is " + text)
}

// calculation takes the frame of a question away.
func calculation(words []string) []string {
	if rest, ok := after(words, "what is", "what are", "what does", "what do", "how much is", "how much are", "how many is", "how much",
		"what do you get if you", "what do you get when you", "what do i get if i", "calculate", "compute", "work out",
		"solve", "figure out",
		"evaluate", "what would be", "is", "do the math", "what is the result of", "the result of", "what is the value of", "the answer to",
		"what is the answer to", "give me", "find", "what"); ok {
		words = rest
	}
	return before(words, "equal to", "equals", "equal", "make", "makes", "come to", "together", "is what", "is", "add up to")
}

func startsOperation(words []string) bool {
	_, ok := after(words, "plus", "minus", "times", "divided by", "multiplied by", "squared", "cubed", "to the power of")
	return ok
}

// lastNumber returns the number at the end of a result such as "12 times 7 is
// 84.", as a token; "" when there is none or it was rounded.
func lastNumber(text string) string {
	before, last, found := strings.Cut(strings.TrimSuffix(text, "."), " is ")
	if !found || before == "" || strings.Contains(last, " ") {
		return ""
	}
	last = strings.ReplaceAll(last, ",", "")
	if _, ok := digits(last); !ok {
		return ""
	}
	return last
}

// value is a number and how it came about.
type value struct {
	n     *big.Rat
	rough bool   // n is a rounded root or power
	say   string // the calculation, in words
}

func plain(n *big.Rat) value { return value{n: n, say: spoken(n, 6)} }

// trouble is why a calculation has no result, as a sentence to say.
type trouble string

func (t trouble) Error() string { return string(t) }

const (
	errNoSum    trouble = "That is not a calculation."
	errZero     trouble = "That is a division by zero, which has no result."
	errTooLarge trouble = "That number is too large for me."
	errNegative trouble = "A negative number has no real square root."
	errNatural  trouble = "I can only do that with whole numbers up to 100."
)

// maxBits limits what is calculated with.
const maxBits = 4096

func checked(v value) (value, error) {
	if v.n.Num().BitLen() > maxBits || v.n.Denom().BitLen() > maxBits {
		return value{}, errTooLarge
	}
	return v, nil
}

// combine calculates a operator b.
func combine(a value, operator string, b value) (value, error) {
	v := value{n: new(big.Rat), rough: a.rough || b.rough, say: a.say + " " + operator + " " + b.say}
	switch operator {
	case "plus":
		v.n.Add(a.n, b.n)
	case "minus":
		v.n.Sub(a.n, b.n)
	case "times":
		v.n.Mul(a.n, b.n)
	case "divided by":
		if b.n.Sign() == 0 {
			return value{}, errZero
		}
		v.n.Quo(a.n, b.n)
	case "modulo":
		if b.n.Sign() == 0 {
			return value{}, errZero
		}
		if !a.n.IsInt() || !b.n.IsInt() {
			return value{}, errNatural
		}
		v.n.SetInt(new(big.Int).Mod(a.n.Num(), b.n.Num()))
	}
	return checked(v)
}
