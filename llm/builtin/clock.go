package builtin

import (
	"strings"
	"time"
)

// noClock is said where the prompt does not tell the time.
const noClock = "I have no clock in this call, so I do not know."

// clock tells the time, here or in a city.
func clock(q query) (answer, bool) {
	words, ok := after(q.core, "what time is it", "what time is it now", "what is the time", "the time",
		"what is the current time", "current time", "what time it is",
		"what time is it right now", "time", "what is the local time", "what time do they have")
	words = before(words, "right now", "now", "currently", "at the moment")
	if place, in := after(words, "in", "in the city of", "over in"); ok && in && len(place) > 0 {
		return cityTime(q, strings.Join(place, " "))
	}
	if ok && len(words) == 0 || q.is("what time is it", "what is the time", "what time is it now",
		"do you have the time", "what is the current time", "what time it is",
		"time", "the time", "what hour is it", "how late is it", "got the time", "have you got the time",
		"current time", "what time do we have",
		"what time is it today", "what is the time right now", "what is the time now", "give me the time",
		"say the time", "know what time it is") {
		if q.now.IsZero() {
			return say(noClock)
		}
		return say("It's " + clockTime(q.now) + ".")
	}
	if q.is("what is the date and time", "what is the time and date", "date and time", "time and date") {
		if q.now.IsZero() {
			return say(noClock)
		}
		return say("It's " + clockTime(q.now) + " on " + longDate(q.now) + ".")
	}
	return pass()
}

// clockTime says a time of day: "3:20 PM", "3 PM", "noon".
func clockTime(t time.Time) string {
	switch {
	case t.Hour() == 12 && t.Minute() == 0:
		return "noon"
	case t.Hour() == 0 && t.Minute() == 0:
		return "midnight"
	case t.Minute() == 0:
		return t.Format("3 PM")
	default:
		return t.Format("3:04 PM")
	}
}

// cities are the places whose time is known, by IANA zone.
var cities = map[string]string{
	"london": "Europe/London", "england": "Europe/London", "paris": "Europe/Paris", "france": "Europe/Paris", "berlin": "Europe/Berlin",
	"germany": "Europe/Berlin", "madrid": "Europe/Madrid", "spain": "Europe/Madrid", "rome": "Europe/Rome", "italy": "Europe/Rome",
	"vienna": "Europe/Vienna", "zurich": "Europe/Zurich", "amsterdam": "Europe/Amsterdam", "brussels": "Europe/Brussels",
	"stockholm": "Europe/Stockholm", "oslo": "Europe/Oslo", "copenhagen": "Europe/Copenhagen", "helsinki": "Europe/Helsinki",
	"lisbon": "Europe/Lisbon", "dublin": "Europe/Dublin", "athens": "Europe/Athens", "warsaw": "Europe/Warsaw", "prague": "Europe/Prague",
	"istanbul": "Europe/Istanbul", "moscow": "Europe/Moscow", "kiev": "Europe/Kyiv", "cairo": "Africa/Cairo", "nairobi": "Africa/Nairobi",
	"lagos": "Africa/Lagos", "johannesburg": "Africa/Johannesburg", "dubai": "Asia/Dubai", "mumbai": "Asia/Kolkata",
	"delhi":     "Asia/Kolkata",
	"new delhi": "Asia/Kolkata", "india": "Asia/Kolkata", "bangkok": "Asia/Bangkok", "singapore": "Asia/Singapore",
	"hong kong": "Asia/Hong_Kong",
	"shanghai":  "Asia/Shanghai", "beijing": "Asia/Shanghai", "china": "Asia/Shanghai", "seoul": "Asia/Seoul", "tokyo": "Asia/Tokyo",
	"japan": "Asia/Tokyo", "sydney": "Australia/Sydney", "melbourne": "Australia/Melbourne", "auckland": "Pacific/Auckland",
	"honolulu": "Pacific/Honolulu", "hawaii": "Pacific/Honolulu", "los angeles": "America/Los_Angeles", "san francisco": "America/Los_Angeles",
	"california": "America/Los_Angeles", "seattle": "America/Los_Angeles", "denver": "America/Denver", "chicago": "America/Chicago",
	"new york": "America/New_York", "new york city": "America/New_York", "boston": "America/New_York", "washington": "America/New_York",
	"toronto": "America/Toronto", "mexico city": "America/Mexico_City", "sao paulo": "America/Sao_Paulo", "buenos aires": "America/Argentina/Buenos_Aires",
	"utc": "UTC", "greenwich": "UTC",
}

func cityTime(q query, place string) (answer, bool) {
	if q.now.IsZero() {
		return say(noClock)
	}
	name := cities[place]
	if name == "" {
		return say("I do not know the time in " + title(place) + ". Here it's " + clockTime(q.now) + ".")
	}
	zone, err := time.LoadLocation(name)
	if err != nil { // a machine without the zone database
		return say("I cannot look up time zones on this machine. Here it's " + clockTime(q.now) + ".")
	}
	there := q.now.In(zone)
	day := ""
	if there.YearDay() != q.now.YearDay() {
		day = " on " + there.Weekday().String()
	}
	return say("In " + title(place) + " it's " + clockTime(there) + day + ".")
}

// title gives every word a capital letter.
func title(text string) string {
	if text == "utc" {
		return "UTC"
	}
	words := strings.Fields(text)
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
