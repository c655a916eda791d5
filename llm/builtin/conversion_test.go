package builtin

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConversions(t *testing.T) {
	e := mustNew(t)
	tests := map[string]string{
		"one inch in centimeters":                    "1 inch is 2.54 centimeters.",
		"how many yards in a mile":                   "1 mile is 1,760 yards.",
		"zero celsius in fahrenheit":                 "0 degrees Celsius is 32 degrees Fahrenheit.",
		"what is 212 fahrenheit in celsius":          "212 degrees Fahrenheit is 100 degrees Celsius.",
		"0 kelvin in celsius":                        "0 kelvin is about minus 273.2 degrees Celsius.",
		"a ton in kilograms":                         "1 ton is 1,000 kilograms.",
		"2 lbs in ounces":                            "2 pounds is 32 ounces.",
		"how many bits in a byte":                    "1 byte is 8 bits.",
		"one nautical mile in metres":                "1 nautical mile is 1,852 meters.",
		"ten knots in kilometers per hour":           "10 knots is 18.52 kilometers per hour.",
		"10 metres per second in km/h":               "10 meters per second is 36 kilometers per hour.",
		"how many square feet are in an acre":        "1 acre is 43,560 square feet.",
		"how many pints are there in a gallon":       "1 gallon is 8 pints.",
		"8 ounces in milliliters":                    "8 fluid ounces is about 236.59 milliliters.",
		"three and a half hours in minutes":          "3.5 hours is 210 minutes.",
		"an hour and a half in minutes":              "1.5 hours is 90 minutes.",
		"one hour and twenty minutes in seconds":     "1 hour 20 minutes is 4,800 seconds.",
		"half a mile in feet":                        "0.5 miles is 2,640 feet.",
		"three quarters of a mile in feet":           "0.75 miles is 3,960 feet.",
		"500 ms in seconds":                          "500 milliseconds is 0.5 seconds.",
		"how many kilomters in a mile":               "1 mile is about 1.61 kilometers.",
		"100 farenheit in celcius":                   "100 degrees Fahrenheit is about 37.8 degrees Celsius.",
		"one millimeter in miles":                    "1 millimeter is about 6.21 times 10 to the power of minus 7 miles.",
		"minus 500 celsius in fahrenheit":            "Nothing can be that cold: it is below absolute zero.",
		"how many seconds in a mile":                 "I cannot turn miles into seconds: one is a length, the other a time.",
		"five miles":                                 "I heard: “five miles”.",
		"how many miles":                             "I heard: “how many miles”.",
		"how many miles have you walked to the moon": "I heard: “how many miles have you walked to the moon”.",
	}
	for text, want := range tests {
		if _, a := e.answer(talk(text)); !strings.HasPrefix(a.text, want) {
			t.Errorf("%q: got %q, want %q", text, a.text, want)
		}
	}
}

// There and back again is where one was, for any two units of one dimension.
func TestConversionRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := rapid.SampledFrom(units).Draw(rt, "a")
		var same []unit
		for _, u := range units {
			if u.dim == a.dim {
				same = append(same, u)
			}
		}
		b := rapid.SampledFrom(same).Draw(rt, "b")
		v := big.NewRat(rapid.Int64().Draw(rt, "v"), 1000)
		back := a.fromBase(b.toBase(b.fromBase(a.toBase(v))))
		if back.Cmp(v) != 0 {
			rt.Fatalf("%v %s by %s: got %v", v, a.many, b.many, back)
		}
	})
}

// Every name of a unit finds that unit, and no two units share one.
func TestUnitNames(t *testing.T) {
	owner := map[string]string{}
	for _, n := range unitNames {
		name := strings.Join(n.words, " ")
		if o, ok := owner[name]; ok && o != n.unit.one {
			t.Errorf("%q is a name of %s and %s", name, o, n.unit.one)
		}
		owner[name] = n.unit.one
		if u, used := matchUnit(n.words); used != len(n.words) || u.one != n.unit.one {
			t.Errorf("%q: got %q, %d words", name, u.one, used)
		}
		if n.unit.ratio(n.unit.factor).Sign() <= 0 {
			t.Errorf("%s: factor %q", n.unit.one, n.unit.factor)
		}
	}
}
