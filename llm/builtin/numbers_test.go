package builtin

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	tests := []struct {
		words string
		value string // "" for none
		used  int
	}{
		{"twelve", "12", 1},
		{"zero", "0", 1},
		{"twenty one", "21", 2},
		{"twenty twenty", "20", 1},
		{"one two", "1", 1},
		{"forty two apples", "42", 2},
		{"fourty two", "42", 2},
		{"two hundred and five", "205", 4},
		{"two hundred and", "200", 2},
		{"a hundred", "100", 2},
		{"hundred", "", 0},
		{"one thousand two hundred thirty four", "1234", 6},
		{"two million three hundred thousand and one", "2300001", 7},
		{"three thousand two million", "3002", 3},
		{"nineteen hundred", "1900", 2},
		{"thosand", "", 0},
		{"two thosand", "2", 1},
		{"3.5", "7/2", 1},
		{"2.5 million", "2500000", 2},
		{"three point one four", "157/50", 4},
		{"zero point oh five", "1/20", 4},
		{"three point twenty five", "13/4", 4},
		{"three point", "3", 1},
		{"half", "1/2", 1},
		{"a half", "1/2", 2},
		{"half a million", "500000", 3},
		{"half a mile", "1/2", 1},
		{"three quarters", "3/4", 2},
		{"two thirds of", "2/3", 2},
		{"a second", "", 0},
		{"two seconds", "2", 1},
		{"one and a half", "3/2", 4},
		{"two and a half thousand", "2500", 5},
		{"a dozen", "12", 2},
		{"two dozen eggs", "24", 2},
		{"seventeenth", "", 0},
		{"for", "", 0},
		{"1.2.3", "", 0},
		{strings.Repeat("9", 50), "", 0},
		{"", "", 0},
	}
	for _, test := range tests {
		v, n := number(strings.Fields(test.words))
		got := ""
		if n > 0 {
			got = v.RatString()
		}
		if got != test.value || n != test.used {
			t.Errorf("%q: got %q in %d words, want %q in %d", test.words, got, n, test.value, test.used)
		}
	}
}

// inWords says a whole number as people do.
func inWords(n int64) string {
	switch {
	case n < 20:
		return smallNumbers[n]
	case n < 100:
		return strings.TrimSuffix(tens[n/10]+" "+inWords(n%10), " zero")
	case n < 1000:
		return strings.TrimSuffix(inWords(n/100)+" hundred and "+inWords(n%100), " and zero")
	case n < 1e6:
		return strings.TrimSuffix(inWords(n/1000)+" thousand "+inWords(n%1000), " zero")
	case n < 1e9:
		return strings.TrimSuffix(inWords(n/1e6)+" million "+inWords(n%1e6), " zero")
	}
	return strings.TrimSuffix(inWords(n/1e9)+" billion "+inWords(n%1e9), " zero")
}

func TestNumberReadsWhatIsSaid(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Int64Range(0, 1e12-1).Draw(rt, "n")
		words := strings.Fields(inWords(n))
		v, used := number(words)
		if used != len(words) || v.Cmp(big.NewRat(n, 1)) != 0 {
			rt.Fatalf("%d said %q: got %v in %d words", n, words, v, used)
		}
	})
}

func TestSpoken(t *testing.T) {
	tests := []struct {
		value  string
		places int
		want   string
	}{
		{"0", 2, "0"},
		{"5", 2, "5"},
		{"-5", 2, "minus 5"},
		{"1234567", 2, "1,234,567"},
		{"999", 2, "999"},
		{"5/2", 2, "2.5"},
		{"1/3", 4, "about 0.3333"},
		{"1/300", 2, "about 0.00333"},
		{"-1/3", 2, "about minus 0.333"},
		{"1000000000000000000", 2, "about 1 times 10 to the power of 18"},
		{"1/80000000", 2, "about 1.25 times 10 to the power of minus 8"},
		{"299/100", 1, "about 3"},
	}
	for _, test := range tests {
		v, _ := new(big.Rat).SetString(test.value)
		if got := spoken(v, test.places); got != test.want {
			t.Errorf("%s to %d places: got %q, want %q", test.value, test.places, got, test.want)
		}
	}
}

func TestOrdinal(t *testing.T) {
	for words, want := range map[string]int{"first": 1, "twentieth": 20, "twenty first": 21, "thirty first": 31, "thirtieth": 30, "3rd": 3, "22nd": 22, "4": 4, "one": 0, "": 0} {
		if got, _ := ordinal(strings.Fields(words)); got != want {
			t.Errorf("%q: got %d, want %d", words, got, want)
		}
	}
}
