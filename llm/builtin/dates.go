package builtin

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// dates answers questions about the calendar.
func dates(q query) (answer, bool) {
	for _, try := range []func(query) (answer, bool){daysUntil, dayAhead, dayOfWeek, monthLength, leapYear, dateNow, partOfDate} {
		if a, ok := try(q); ok {
			if q.now.IsZero() {
				return say(noClock)
			}
			return a, true
		}
	}
	return pass()
}

func dateNow(q query) (answer, bool) {
	if q.is("what is the date", "what is the date today", "what is todays date", "what day is it", "what day is today",
		"what day is it today", "todays date",
		"the date", "what date is it", "what date is it today", "what is today", "what is the current date", "date",
		"what day of the week is it", "what day of the week is it today",
		"which day is it", "which day is today", "what weekday is it", "what is the day today", "what is the day",
		"what is todays day", "what day do we have today",
		"what is it today", "give me the date") {
		return say("It's " + longDate(q.now) + ".")
	}
	return pass()
}

func partOfDate(q query) (answer, bool) {
	switch {
	case q.is("what year is it", "what is the year", "which year is it", "what year do we have", "the year"):
		return say("It's " + q.now.Format("2006") + ".")
	case q.is("what month is it", "which month is it", "what is the month", "what month do we have", "the month"):
		return say("It's " + q.now.Format("January") + ".")
	case q.is("what week is it", "what week number is it", "what week of the year is it", "which week is it",
		"what is the week number", "what calendar week is it"):
		_, week := q.now.ISOWeek()
		return say("It's week " + fmt.Sprint(week) + ".")
	}
	return pass()
}

// daysUntil answers "how many days until christmas", "how long is it until
// friday", "how many days since march third".
func daysUntil(q query) (answer, bool) {
	words, ok := after(q.core, "how many days", "how many more days", "how many weeks", "how many sleeps", "how long",
		"days", "weeks", "number of days", "how far away")
	if !ok {
		return pass()
	}
	for len(words) > 0 && slices.Contains([]string{"are", "is", "it", "there", "left", "do", "we", "i", "you", "have",
		"to", "go", "has", "been", "was", "ago", "passed", "have"}, words[0]) {
		words = words[1:]
	}
	since := false
	if rest, ok := after(words, "until", "before", "till", "to", "up to", "from now until", "from today until",
		"left until", "remain until"); ok {
		words = rest
	} else if rest, ok := after(words, "since"); ok {
		words, since = rest, true
	} else if !strings.Contains(strings.Join(q.core, " "), "how far away") && !slices.Contains(q.core, "to") {
		return pass()
	}
	rest, _ := after(words, "the day of")
	d, n := parseDay(rest, q.now)
	if n == 0 || n != len(rest) {
		return pass()
	}
	return say(distanceTo(d, q, since))
}

func distanceTo(d day, q query, since bool) string {
	from := today(q.now)
	if !d.fixed && !since && d.date.Before(from) {
		d = sameDay(d, q.now.Year()+1)
	}
	if !d.fixed && since && d.date.After(from) {
		d = sameDay(d, q.now.Year()-1)
	}
	n := daysBetween(from, d.date)
	span := count(max(n, -n), "day")
	if slices.Contains(q.core, "weeks") && (n >= 7 || n <= -7) {
		span = list(slices.DeleteFunc([]string{count(max(n, -n)/7, "week"), count(max(n, -n)%7, "day")},
			func(s string) bool { return strings.HasPrefix(s, "0 ") }))
	}
	verb := "are"
	if n == 1 || n == -1 {
		verb = "is"
	}
	switch {
	case n == 0:
		return sentence(d.name + " is today")
	case n > 0 && since:
		return sentence(d.name + " is still to come, in " + span)
	case n > 0:
		return "There " + verb + " " + span + " until " + d.name + "."
	case since:
		return "It has been " + span + " since " + d.name + "."
	default:
		return sentence(d.name + " was " + span + " ago")
	}
}

// sameDay is d in another year: feasts move.
func sameDay(d day, year int) day {
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(d.name, "'", "")))
	if date, _, n := holiday(words, year); n == len(words) && n > 0 {
		d.date = date
	} else {
		d.date = at(year, d.date.Month(), d.date.Day())
	}
	return d
}

// dayOfWeek answers "what day of the week is july fourth" and "when is easter".
func dayOfWeek(q query) (answer, bool) {
	words, when := after(q.core, "when is", "when was", "what date is", "what is the date of", "what is the date", "when will")
	if !when {
		var ok bool
		if words, ok = after(q.core, "what day of the week is", "what day of the week was",
			"what day of the week will", "what weekday is", "what weekday was", "which day of the week is",
			"what day is", "what day was", "what day will", "which day is", "what day of the week does",
			"what day does", "on what day is", "on which day is", "on what day of the week is",
			"which weekday is",
			"what day of the week is it on", "what day is it on", "what day is it", "what weekday will", "what is the day"); !ok {
			return pass()
		}
	}
	words = before(words, "fall on", "fall", "be on", "be")
	rest, _ := after(words, "it on", "on")
	d, n := parseDay(rest, q.now)
	if n == 0 || n != len(rest) {
		return pass()
	}
	verb := " is on "
	switch {
	case d.name == "today", d.name == "tomorrow", strings.HasPrefix(d.name, "the day after"):
		return say(sentence(d.name + " is " + longDate(d.date)))
	case d.name == "yesterday", strings.HasPrefix(d.name, "the day before"):
		return say(sentence(d.name + " was " + longDate(d.date)))
	case d.date.Before(today(q.now)) && !d.fixed && !slices.Contains(q.core, "was"):
		d = sameDay(d, q.now.Year()+1)
	}
	if d.date.Before(today(q.now)) {
		verb = " was on "
	}
	if _, named := weekdayNamed(strings.ToLower(d.name)); named {
		return say(sentence(d.name + " is " + d.date.Format("January 2, 2006")))
	}
	if when {
		return say(sentence(d.name + verb + longDate(d.date)))
	}
	switch {
	case monthNamed(strings.ToLower(strings.Fields(d.name)[0])) != 0:
		d.name = d.date.Format("January 2, 2006,")
	case !d.fixed:
		d.name += d.date.Format(" 2006")
	}
	return say(sentence(d.name + verb + "a " + d.date.Weekday().String()))
}

// dayAhead answers "what is the date in ten days".
func dayAhead(q query) (answer, bool) {
	words, ok := after(q.core, "what is the date", "what day is it", "what date is it", "what day will it be",
		"what will be the date", "what is the day", "what day is",
		"what date will it be", "what will the date be", "what day was it", "what was the date")
	if !ok {
		return pass()
	}
	rest, in := after(words, "in")
	n, unit, used := calendarSpan(rest)
	if used == 0 {
		return pass()
	}
	tail := strings.Join(rest[used:], " ")
	ago := tail == "ago"
	if !ago && tail != "from now" && tail != "from today" && tail != "" || tail == "" && !in {
		return pass()
	}
	span := count(n, unit)
	if ago {
		return say(sentence(span + " ago it was " + longDate(shift(today(q.now), -n, unit))))
	}
	return say(sentence("in " + span + " it will be " + longDate(shift(today(q.now), n, unit))))
}

// calendarSpan reads "ten days", "a week", "three months".
func calendarSpan(words []string) (n int, unit string, used int) {
	n = 1
	if v, k := number(words); k > 0 && v.IsInt() && v.Num().IsInt64() && v.Num().Int64() > 0 && v.Num().Int64() < 10_000 {
		n, used = int(v.Num().Int64()), k
	} else if len(words) > 0 && (words[0] == "a" || words[0] == "one") {
		used = 1
	}
	if used == 0 || used == len(words) {
		return 0, "", 0
	}
	unit = strings.TrimSuffix(words[used], "s")
	if !slices.Contains([]string{"day", "week", "month", "year"}, unit) {
		return 0, "", 0
	}
	return n, unit, used + 1
}

func shift(t time.Time, n int, unit string) time.Time {
	switch unit {
	case "week":
		return t.AddDate(0, 0, 7*n)
	case "month":
		return t.AddDate(0, n, 0)
	case "year":
		return t.AddDate(n, 0, 0)
	}
	return t.AddDate(0, 0, n)
}

// monthLength answers "how many days are there in february".
func monthLength(q query) (answer, bool) {
	words, ok := after(q.core, "how many days", "how long")
	if !ok || len(words) == 0 {
		return pass()
	}
	i := slices.IndexFunc(words, func(w string) bool { return monthNamed(w) != 0 })
	if i < 0 || i > 4 || words[0] == "until" || words[0] == "since" {
		return pass()
	}
	year, n := yearAfter(words[i+1:], q.now)
	rest := before(words[i+1+n:], "have", "has")
	if len(rest) > 0 {
		return pass()
	}
	if n == 0 {
		year = q.now.Year()
	}
	month := monthNamed(words[i])
	length := at(year, month+1, 0).Day()
	name := month.String()
	if n > 0 || month == time.February {
		name += fmt.Sprint(" ", year)
	}
	return say(name + " has " + count(length, "day") + ".")
}

func leapYear(q query) (answer, bool) {
	if !q.has("leap") || !q.has("year") {
		return pass()
	}
	year := q.now.Year()
	for i := range q.words {
		if y, n := parseYear(q.words[i:]); n > 0 {
			year = y
			break
		}
	}
	if at(year, time.February, 29).Day() == 29 {
		return say(fmt.Sprintf("Yes, %d is a leap year.", year))
	}
	return say(fmt.Sprintf("No, %d is not a leap year.", year))
}
