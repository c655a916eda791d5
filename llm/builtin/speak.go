package builtin

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"
)

// spoken writes a number as a voice can read it: exactly where that is short,
// else rounded with "about". places is the number of decimals to round to.
func spoken(v *big.Rat, places int) string {
	short, exact := rounded(v, places)
	if exact {
		return short
	}
	return "about " + short
}

// rounded writes v in at most places decimals and reports whether that is all
// of it. Numbers below one keep three significant digits.
func rounded(v *big.Rat, places int) (text string, exact bool) {
	abs := new(big.Rat).Abs(v)
	f, _ := abs.Float64()
	if abs.Sign() != 0 && (f >= 1e15 || f < 1e-6) {
		return sign(v) + scientific(abs), false
	}
	if f < 1 && abs.Sign() != 0 {
		places = max(places, int(math.Ceil(-math.Log10(f)))+2)
	}
	text = abs.FloatString(places)
	back, _ := new(big.Rat).SetString(text)
	exact = back.Cmp(abs) == 0
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "0" {
		return "0", exact
	}
	return sign(v) + group(text), exact
}

func sign(v *big.Rat) string {
	if v.Sign() < 0 {
		return "minus "
	}
	return ""
}

// group puts commas between thousands, without which voices read years.
func group(text string) string {
	whole, rest, found := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if found {
		return whole + "." + rest
	}
	return whole
}

// scientific says a very large or small number.
func scientific(abs *big.Rat) string {
	f := new(big.Float).SetPrec(64).SetRat(abs)
	mantissa, exponent, _ := strings.Cut(f.Text('e', 2), "e")
	var e int
	_, _ = fmt.Sscanf(exponent, "%d", &e)
	power := fmt.Sprint(e)
	if e < 0 {
		power = fmt.Sprint("minus ", -e)
	}
	mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	return mantissa + " times 10 to the power of " + power
}

// sentence gives text a capital letter and a full stop.
func sentence(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(r)) + text[n:]
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "!") && !strings.HasSuffix(text, "?") {
		text += "."
	}
	return text
}

// count says a number of things: "1 day", "3 days".
func count(n int, thing string) string {
	if n == 1 || n == -1 {
		return fmt.Sprint(n, " ", thing)
	}
	return group(fmt.Sprint(n)) + " " + thing + "s"
}

// list joins parts with commas and a last "and".
func list(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}
