package builtin

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/llm"
)

func TestNormalise(t *testing.T) {
	tests := map[string]string{
		"What's the TIME, please?":    "what is the time",
		"uh, hey parley, set a timer": "set a timer",
		"okay":                        "okay",
		"12*7":                        "12 times 7",
		"3x4 = ?":                     "3 times 4 equals",
		"1,234.50 + 1":                "1234.50 plus 1",
		"10, 20":                      "10 20",
		"7-3":                         "7 minus 3",
		"twenty-one":                  "twenty one",
		"well - no":                   "no",
		"10/4":                        "10 divided by 4",
		"km/h":                        "km per h",
		"5km":                         "5 km",
		"20°C":                        "20 degrees c",
		"15%":                         "15 percent",
		"the 3rd":                     "the 3rd",
		"2026-03-01":                  "2026-03-01",
		"at 3:20pm":                   "at 3:20 pm",
		"don’t":                       "do not",
		"new year's":                  "new years",
		"kilometres":                  "kilometers",
		"time or":                     "timer",
		"naïve 日本":                    "naïve 日本",
		"...":                         "",
		"":                            "",
	}
	for text, want := range tests {
		if got := strings.Join(normalise(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestLike(t *testing.T) {
	tests := []struct {
		heard, phrase string
		want          bool
	}{
		{"what time is it", "what time is it", true},
		{"what time is that", "what time is it", true},
		{"what time in it", "what time is it", true},
		{"what tim is it", "what time is it", true},
		{"what time is dinner", "what time is it", false},
		{"what can i do", "what can you do", false},
		{"hello", "hello", true},
		{"hullo", "hello", false},
		{"tell me a jok", "tell me a joke", true},
		{"", "hello", false},
		{"one two three four five", "one", false},
	}
	for _, test := range tests {
		if got := like(strings.Fields(test.heard), strings.Fields(test.phrase)); got != test.want {
			t.Errorf("%q as %q: got %v", test.heard, test.phrase, got)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"timer", "tymer", 1}, {strings.Repeat("a", 99), "a", maxWord}} {
		if got := distance(test.a, test.b); got != test.want || distance(test.b, test.a) != got {
			t.Errorf("%q, %q: got %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestTimers(t *testing.T) {
	e := mustNew(t)
	tests := map[string]struct {
		seconds float64 // 0 for none
		label   string
	}{
		"set a timer for five minutes":                 {300, "5 minute"},
		"set a timer for 1.5 hours":                    {5400, "1 hour 30 minute"},
		"timer for two and a half minutes":             {150, "2 minute 30 second"},
		"set a five minute egg timer":                  {300, "egg"},
		"set a timer called tea for four minutes":      {240, ""},
		"set a timer for four minutes called tea":      {240, "tea"},
		"set a timer for ten minutes for my laundry":   {600, "laundry"},
		"set a timer for to minutes":                   {120, "2 minute"},
		"set a timer for twenty four hours":            {86400, "24 hour"},
		"set a timer for twenty five hours":            {0, ""},
		"set a timer for half a second":                {0, ""},
		"remind me in five minutes":                    {300, "5 minute"},
		"remind me to call bob in five minutes":        {300, "call bob"},
		"tell me in five minutes to turn off the oven": {300, "turn off the oven"},
		"how many seconds in five minutes":             {0, ""},
		"i waited five minutes":                        {0, ""},
		"the timer was nice":                           {0, ""},
		"what are five times three minutes":            {0, ""},
	}
	for text, want := range tests {
		_, a := e.answer(talk(text))
		var got llm.TimerArgs
		if a.action != nil {
			if err := json.Unmarshal(a.action.Args, &got); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		if got.Seconds != want.seconds || want.label != "" && got.Label != want.label {
			t.Errorf("%q: got %+v (%q)", text, got, a.text)
		}
	}
}
