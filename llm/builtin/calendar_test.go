package builtin

import (
	"strings"
	"testing"
	"time"
)

func TestParseDay(t *testing.T) {
	tests := map[string]string{ // date and words used
		"march third":                           "2026-03-03 2",
		"march the third":                       "2026-03-03 3",
		"the third of march":                    "2026-03-03 4",
		"third march":                           "2026-03-03 2",
		"march 3rd 2030":                        "2030-03-03 3",
		"july four":                             "2026-07-04 2",
		"the twenty fifth of december":          "2026-12-25 5",
		"december twenty five twenty thirty":    "2030-12-25 5",
		"may first nineteen oh five":            "1905-05-01 5",
		"january first two thousand":            "2000-01-01 4",
		"january first two thousand and one":    "2001-01-01 6",
		"february third next year":              "2027-02-03 4",
		"christmas":                             "2026-12-25 1",
		"christmas eve":                         "2026-12-24 2",
		"easter 2027":                           "2027-03-28 2",
		"thanksgiving in 2028":                  "2028-11-23 3",
		"today":                                 "2026-03-14 1",
		"the day after tomorrow":                "2026-03-16 4",
		"yesterday":                             "2026-03-13 1",
		"saturday":                              "2026-03-21 1",
		"next sunday":                           "2026-03-15 2",
		"2026-02-28":                            "2026-02-28 1",
		"septembr first":                        "2026-09-01 2",
		"the thirty first of april":             " 0",
		"the thirty second of march":            " 0",
		"march":                                 " 0",
		"third":                                 " 0",
		"mayday":                                " 0",
		"the":                                   " 0",
		"":                                      " 0",
		"next":                                  " 0",
		"twenty ninth of february twenty eight": "2026-03-01 4",
	}
	for text, want := range tests {
		d, n := parseDay(strings.Fields(text), testTime)
		got := " 0"
		if n > 0 {
			got = d.date.Format(time.DateOnly) + " " + string(rune('0'+n))
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// The dates of Easter as the churches publish them.
func TestEaster(t *testing.T) {
	for _, want := range []string{"1961-04-02", "2000-04-23", "2008-03-23", "2011-04-24", "2019-04-21", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"} {
		day, err := time.Parse(time.DateOnly, want)
		if err != nil {
			t.Fatal(err)
		}
		if got := easter(day.Year()).Format(time.DateOnly); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := fourthThursday(2026).Format(time.DateOnly); got != "2026-11-26" {
		t.Errorf("thanksgiving: got %s", got)
	}
}

func TestParseYear(t *testing.T) {
	for text, want := range map[string]int{"2027": 2027, "twenty twenty seven": 2027, "nineteen eighty four": 1984, "two thousand and six": 2006,
		"nineteen oh five": 1905, "nineteen hundred": 1900, "twenty": 0, "seven": 0, "99999": 0, "": 0} {
		if got, _ := parseYear(strings.Fields(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func TestClockTime(t *testing.T) {
	for at, want := range map[string]string{"00:00": "midnight", "12:00": "noon", "15:00": "3 PM", "15:05": "3:05 PM", "00:07": "12:07 AM", "23:59": "11:59 PM"} {
		clock, err := time.Parse("15:04", at)
		if err != nil {
			t.Fatal(err)
		}
		if got := clockTime(clock); got != want {
			t.Errorf("%s: got %q, want %q", at, got, want)
		}
	}
}

// Counting days crosses changes of the clock and time zones unharmed.
func TestDaysAcrossClockChanges(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("no zone database")
	}
	e := mustNew(t)
	for hour, want := range map[int]string{0: "There is 1 day until March 8.", 23: "There is 1 day until March 8."} {
		p := talk("how many days until march eighth")
		p.Now = time.Date(2026, time.March, 7, hour, 30, 0, 0, zone) // the clock changes on the 8th
		if _, a := e.answer(p); a.text != want {
			t.Errorf("at %d: got %q", hour, a.text)
		}
	}
}
