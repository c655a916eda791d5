package builtin

import (
	"slices"
	"strings"
	"time"
)

// day is a date named by the caller.
type day struct {
	date  time.Time // at noon UTC, so that differences are whole days
	name  string    // as it is said: "Christmas", "3 March"
	fixed bool      // the year was named
}

func at(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 12, 0, 0, 0, time.UTC)
}

// today is the caller's date.
func today(now time.Time) time.Time { return at(now.Year(), now.Month(), now.Day()) }

func daysBetween(from, to time.Time) int { return int(to.Sub(from).Hours() / 24) }

func longDate(t time.Time) string { return t.Format("Monday, January 2, 2006") }

// months and weekdays with the names a recogniser or a hurried writer gives them.
func monthNamed(w string) time.Month {
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		if w == name || len(w) >= 3 && w == name[:3] && w != "mar" || near(w, name) {
			return m
		}
	}
	if w == "sept" {
		return time.September
	}
	return 0
}

func weekdayNamed(w string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); w == name || near(w, name) {
			return d, true
		}
	}
	return 0, false
}

// holiday returns the date of a feast in a year.
func holiday(words []string, year int) (date time.Time, name string, used int) {
	for _, h := range []struct {
		said, name string
		date       time.Time
	}{
		{"christmas eve", "Christmas Eve", at(year, time.December, 24)},
		{"christmas day", "Christmas", at(year, time.December, 25)},
		{"christmas", "Christmas", at(year, time.December, 25)},
		{"boxing day", "Boxing Day", at(year, time.December, 26)},
		{"new years eve", "New Year's Eve", at(year, time.December, 31)},
		{"new years day", "New Year's Day", at(year, time.January, 1)},
		{"new years", "New Year's Day", at(year, time.January, 1)},
		{"new year", "New Year's Day", at(year, time.January, 1)},
		{"the new year", "New Year's Day", at(year, time.January, 1)},
		{"halloween", "Halloween", at(year, time.October, 31)},
		{"valentines day", "Valentine's Day", at(year, time.February, 14)},
		{"saint patricks day", "Saint Patrick's Day", at(year, time.March, 17)},
		{"independence day", "Independence Day", at(year, time.July, 4)},
		{"thanksgiving", "Thanksgiving", fourthThursday(year)},
		{"good friday", "Good Friday", easter(year).AddDate(0, 0, -2)},
		{"easter", "Easter", easter(year)},
		{"easter sunday", "Easter", easter(year)},
		{"the end of the year", "the end of the year", at(year, time.December, 31)},
		{"the year ends", "the end of the year", at(year, time.December, 31)},
	} {
		if f := strings.Fields(h.said); hasPrefix(words, f) && len(f) > used {
			date, name, used = h.date, h.name, len(f)
		}
	}
	return date, name, used
}

func fourthThursday(year int) time.Time {
	first := at(year, time.November, 1)
	return first.AddDate(0, 0, (int(time.Thursday-first.Weekday())+7)%7+21)
}

// easter returns Easter Sunday by the anonymous Gregorian algorithm (Meeus,
// Astronomical Algorithms, chapter 8).
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return at(year, time.Month(n/31), n%31+1)
}

// parseDay reads the date at the beginning of words: a feast, a day of a month
// with or without its year, a weekday, today and its neighbours.
func parseDay(words []string, now time.Time) (day, int) {
	t := today(now)
	if rest, ok := after(words, "the day after tomorrow", "day after tomorrow"); ok {
		return day{date: t.AddDate(0, 0, 2), name: "the day after tomorrow", fixed: true}, len(words) - len(rest)
	}
	if rest, ok := after(words, "the day before yesterday", "day before yesterday"); ok {
		return day{date: t.AddDate(0, 0, -2), name: "the day before yesterday", fixed: true}, len(words) - len(rest)
	}
	if len(words) > 0 {
		if shift := slices.Index([]string{"yesterday", "today", "tomorrow"}, words[0]); shift >= 0 {
			return day{date: t.AddDate(0, 0, shift-1), name: words[0], fixed: true}, 1
		}
	}
	if date, name, n := holiday(words, now.Year()); n > 0 {
		d := day{date: date, name: name}
		if y, k := yearAfter(words[n:], now); k > 0 {
			d.date, _, _ = holiday(words, y)
			d.fixed = true
			n += k
		}
		return d, n
	}
	if d, n := weekday(words, t); n > 0 {
		return d, n
	}
	return monthDay(words, now)
}

// weekday reads "friday", "next friday", "this friday": the next one to come.
func weekday(words []string, t time.Time) (day, int) {
	n := 0
	if len(words) > 1 && slices.Contains([]string{"next", "this", "on", "coming"}, words[0]) {
		n = 1
	}
	if n >= len(words) {
		return day{}, 0
	}
	w, ok := weekdayNamed(words[n])
	if !ok {
		return day{}, 0
	}
	ahead := (int(w-t.Weekday()) + 6) % 7 // tomorrow is 0
	return day{date: t.AddDate(0, 0, ahead+1), name: w.String(), fixed: true}, n + 1
}

// monthDay reads "march third", "the third of march", "3 march 2027",
// "2027-03-03".
func monthDay(words []string, now time.Time) (day, int) {
	if len(words) == 0 {
		return day{}, 0
	}
	if iso, err := time.Parse(time.DateOnly, words[0]); err == nil {
		return day{date: at(iso.Year(), iso.Month(), iso.Day()), name: iso.Format("January 2, 2006"), fixed: true}, 1
	}
	i := 0
	skip := func(w string) {
		if i < len(words) && words[i] == w {
			i++
		}
	}
	skip("the")
	var month time.Month
	var number, n int
	if number, n = dayNumber(words[i:]); n > 0 { // the third of march
		i += n
		skip("of")
		if i < len(words) {
			month = monthNamed(words[i])
			i++
		}
	} else if i < len(words) { // march (the) third
		month = monthNamed(words[i])
		i++
		skip("the")
		number, n = dayNumber(words[i:])
		i += n
	}
	if month == 0 || n == 0 {
		return day{}, 0
	}
	d := day{date: at(now.Year(), month, number)}
	if y, k := yearAfter(words[i:], now); k > 0 {
		d.date, d.fixed = at(y, month, number), true
		i += k
	}
	if d.date.Day() != number && (month != time.February || number != 29) {
		return day{}, 0 // the thirty first of april
	}
	d.name = d.date.Format("January 2")
	if d.fixed {
		d.name += d.date.Format(", 2006")
	}
	return d, i
}

// dayNumber reads a day of a month: "third", "twenty first", "3", "three".
func dayNumber(words []string) (int, int) {
	if v, n := ordinal(words); n > 0 && v <= 31 {
		return v, n
	}
	if v, n := whole(words); n > 0 && v.IsInt() && v.Num().IsInt64() && v.Num().Int64() >= 1 && v.Num().Int64() <= 31 {
		return int(v.Num().Int64()), n
	}
	return 0, 0
}

// yearAfter reads "2027", "in 2027", "twenty twenty seven", "this year",
// "next year".
func yearAfter(words []string, now time.Time) (int, int) {
	i := 0
	if len(words) > 1 && (words[0] == "in" || words[0] == "of") {
		i = 1
	}
	for shift, phrase := range []string{"last year", "this year", "next year"} {
		if hasPrefix(words[i:], strings.Fields(phrase)) {
			return now.Year() + shift - 1, i + 2
		}
	}
	y, n := parseYear(words[i:])
	if n == 0 {
		return 0, 0
	}
	return y, i + n
}

// parseYear reads a year from 1000 to 2999: in digits, as a number, or in two
// halves ("nineteen eighty four").
func parseYear(words []string) (int, int) {
	if v, n := whole(words); n > 0 && v.IsInt() && v.Num().IsInt64() {
		y := int(v.Num().Int64())
		if y >= 1000 && y < 3000 {
			return y, n
		}
		if y >= 10 && y < 30 {
			rest := words[n:]
			if len(rest) > 1 && (rest[0] == "oh" || rest[0] == "o") && small(rest[1]) > 0 {
				return y*100 + small(rest[1]), n + 2
			}
			if low, m := whole(rest); m > 0 && low.IsInt() && low.Num().IsInt64() && low.Num().Int64() >= 10 && low.Num().Int64() < 100 {
				return y*100 + int(low.Num().Int64()), n + m
			}
		}
	}
	return 0, 0
}
