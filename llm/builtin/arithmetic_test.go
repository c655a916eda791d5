package builtin

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func calculate(text string) (value, error) {
	return (&parser{words: calculation(normalise(text))}).whole()
}

func TestCalculations(t *testing.T) {
	tests := map[string]string{ // "" where it is none
		"2 + 3 * 4":                               "14",
		"(2 + 3) * 4":                             "20",
		"2 * (3 + (4 - 1))":                       "12",
		"ten minus four minus three":              "3",
		"a hundred divided by ten divided by two": "5",
		"minus two squared":                       "-4",
		"minus five plus three":                   "-2",
		"two cubed":                               "8",
		"two to the power of minus three":         "1/8",
		"the square root of nine times four":      "12",
		"square root of 9/16":                     "3/16",
		"the cube root of minus eight":            "-2",
		"fifteen per cent of eighty":              "12",
		"200 plus 10 percent":                     "2001/10",
		"half of a dozen":                         "6",
		"a quarter of a million":                  "250000",
		"three quarters of eighty":                "60",
		"twice three plus one":                    "7",
		"triple seven":                            "21",
		"zero factorial":                          "1",
		"20 mod 6":                                "2",
		"the remainder of 20 divided by 6":        "2",
		"one point five times two":                "3",
		"0.1 + 0.2":                               "3/10",
		"five added to six":                       "11",
		"seven take away two":                     "5",
		"2²":                                      "4",
		"10−4":                                    "6",
		"6 ÷ 3":                                   "2",
		"1,000 times 1,000":                       "1000000",
		"twenty-one plus one":                     "22",
		"two plus":                                "",
		"plus two":                                "",
		"two plus blue":                           "",
		"(2 + 3":                                  "",
		"2 + 3)":                                  "",
		"multiply two":                            "",
		"":                                        "",
	}
	for text, want := range tests {
		v, err := calculate(text)
		got := ""
		if err == nil {
			got = v.n.RatString()
		} else if err != errNoSum {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestNoResult(t *testing.T) {
	tests := map[string]error{
		"one divided by zero":                      errZero,
		"5 mod 0":                                  errZero,
		"zero to the power of minus one":           errZero,
		"5.5 mod 2":                                errNatural,
		"101 factorial":                            errNatural,
		"minus one factorial":                      nil, // minus (1!)
		"square root of minus one":                 errNegative,
		"9 to the power of 9 to the power of 9":    errTooLarge,
		"2 to the power of one half":               errTooLarge,
		"10 to the power of 9999999999999999999":   errTooLarge,
		"2 to the power of minus 9000000000000000": errTooLarge,
	}
	for text, want := range tests {
		if _, err := calculate(text); err != want {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
	}
	if _, err := calculate(strings.Repeat("(", 500) + "1"); err != errNoSum {
		t.Errorf("deep nesting: got %v", err)
	}
}

// Sums of spoken whole numbers are exact, whatever the operators.
func TestCalculatesExactly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		total := big.NewRat(rapid.Int64Range(0, 1e9).Draw(rt, "first"), 1)
		text := inWords(total.Num().Int64())
		for range rapid.IntRange(1, 5).Draw(rt, "length") {
			n := rapid.Int64Range(0, 1e6).Draw(rt, "n")
			operator := rapid.SampledFrom([]string{"plus", "minus"}).Draw(rt, "operator")
			text = fmt.Sprint(text, " ", operator, " ", inWords(n))
			if operator == "minus" {
				n = -n
			}
			total.Add(total, big.NewRat(n, 1))
		}
		if v, err := calculate(text); err != nil || v.n.Cmp(total) != 0 || v.rough {
			rt.Fatalf("%q: got %+v, %v, want %v", text, v, err, total)
		}
	})
}
