package speakable

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var (
	url     = regexp.MustCompile(`(?i)\b(?:(?:https?|ftp|wss?)://|www\.)[^\s<>"']+`)
	mail    = regexp.MustCompile(`\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b`)
	dotted  = regexp.MustCompile(`\b[A-Za-z][\w-]*(?:\.[a-z][\w-]*)+\b`)
	initial = regexp.MustCompile(`^(?:[A-Za-z]\.)+[A-Za-z]$`)

	moneyBefore = regexp.MustCompile(`([$€£¥₹])(\d+(?:,\d{3})*)(?:\.(\d+))?(?:\s?(k|K|M|m|B|bn|T|thousand|million|billion|trillion)\b)?`)
	moneyAfter  = regexp.MustCompile(`\b(\d+(?:,\d{3})*)(?:\.(\d+))?\s?([€£¥₹])`)

	degrees = regexp.MustCompile(`(\d)\s?°\s?([CF])\b`)
	unit    = regexp.MustCompile(`\b(\d+(?:,\d{3})*(?:\.\d+)?)\s?([kKMGTmμµnc]?[a-zA-Z]{1,3}(?:/(?:h|s|min))?)\b`)

	isoDate  = regexp.MustCompile(`\b(\d{4})-(\d{2})-(\d{2})\b`)
	midnight = regexp.MustCompile(`\b00?:([0-5]\d)\b`)
	version  = regexp.MustCompile(`\b[vV]?\d+(?:\.\d+){2,}\b`)
	numberNo = regexp.MustCompile(`#(\d)`)
	always   = regexp.MustCompile(`\b24/7\b`)
	either   = regexp.MustCompile(`([A-Za-z])/([A-Za-z])`)
	about    = regexp.MustCompile(`(^|\s)~\s?(\d)`)
	minus    = regexp.MustCompile(`(\d\)?) [-−–] (\(?\d)`)
	times    = regexp.MustCompile(`([\d)]) ?\* ?([\d(])`)
	cross    = regexp.MustCompile(`(\d) ?[xX] ?(\d)`)
	divided  = regexp.MustCompile(`([\d)]) / ([\d(])`)
	power    = regexp.MustCompile(`\^\{?(-?\w+)\}?`)
	less     = regexp.MustCompile(`(\w) ?(<=|>=|<|>) ?(-?\d)`)
	halves   = regexp.MustCompile(`(?:(\d)\s?)?([½¼¾⅓⅔])`)
)

// links says what an address is called: the host of a URL, and in English
// "at" and "dot" for the signs that voices pass over.
func links(s string, english bool) string {
	if !strings.ContainsAny(s, ".@") {
		return s
	}
	s = url.ReplaceAllStringFunc(s, func(u string) string {
		tail := u[len(strings.TrimRight(u, ".,;:!?)")):]
		if _, after, ok := strings.Cut(u, "://"); ok {
			u = after
		}
		host := u[:len(u)-len(tail)]
		if i := strings.IndexAny(host, "/?#"); i >= 0 {
			host = host[:i]
		}
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			host = host[i+1:]
		}
		host = strings.TrimPrefix(host, "www.")
		if english {
			host = strings.ReplaceAll(host, ".", " dot ")
		}
		return host + tail
	})
	if !english {
		return s
	}
	s = mail.ReplaceAllStringFunc(s, func(m string) string {
		return strings.NewReplacer(".", " dot ", "@", " at ", "_", " underscore ", "-", " dash ").Replace(m)
	})
	return dotted.ReplaceAllStringFunc(s, func(name string) string {
		if initial.MatchString(name) {
			return name
		}
		return strings.ReplaceAll(name, ".", " dot ")
	})
}

// money puts the currency after the amount, where it is said. Plain dollars
// are left alone: voices read them well.
func money(s string) string {
	if !strings.ContainsAny(s, "$€£¥₹") {
		return s
	}
	s = replaceGroups(moneyBefore, s, func(g []string) string {
		if g[1] == "$" && g[4] == "" && (g[3] == "" || len(g[3]) == 2) {
			return g[0]
		}
		return amount(g[1], g[2], g[3], g[4])
	})
	return replaceGroups(moneyAfter, s, func(g []string) string { return amount(g[3], g[1], g[2], "") })
}

func amount(sign, whole, cents, scale string) string {
	name := map[string][2]string{"$": {"dollar", "dollars"}, "€": {"euro", "euros"}, "£": {"pound", "pounds"},
		"¥": {"yen", "yen"}, "₹": {"rupee", "rupees"}}[sign]
	switch scale {
	case "k", "K":
		scale = "thousand"
	case "M", "m":
		scale = "million"
	case "B", "bn":
		scale = "billion"
	case "T":
		scale = "trillion"
	}
	switch {
	case scale != "" && cents != "":
		return whole + "." + cents + " " + scale + " " + name[1]
	case scale != "":
		return whole + " " + scale + " " + name[1]
	case cents == "" || cents == "00":
		return whole + " " + plural(whole, name)
	case len(cents) == 2 && cents[0] != '0':
		return whole + " " + plural(whole, name) + " " + cents
	}
	return whole + "." + cents + " " + name[1]
}

func plural(n string, forms [2]string) string {
	if n == "1" {
		return forms[0]
	}
	return forms[1]
}

// units writes out the unit after a number. Voices know some of them, but not
// after a decimal point or a space.
func units(s string) string {
	if !strings.ContainsFunc(s, unicode.IsDigit) {
		return s
	}
	if strings.ContainsRune(s, '°') {
		s = replaceGroups(degrees, s, func(g []string) string {
			if g[2] == "C" {
				return g[1] + " degrees Celsius"
			}
			return g[1] + " degrees Fahrenheit"
		})
		s = strings.ReplaceAll(s, "°", " degrees ")
	}
	return replaceGroups(unit, s, func(g []string) string {
		name := unitName(g[2])
		if name[0] == "" {
			return g[0]
		}
		return g[1] + " " + plural(g[1], name)
	})
}

func unitName(sign string) [2]string {
	s := func(name string) [2]string { return [2]string{name, name + "s"} }
	base, rate, isRate := strings.Cut(sign, "/")
	if isRate {
		name := unitName(base)
		if name[0] == "" {
			return name
		}
		per := " per " + map[string]string{"h": "hour", "s": "second", "min": "minute"}[rate]
		return [2]string{name[0] + per, name[1] + per}
	}
	switch sign {
	case "m":
		return s("meter")
	case "km":
		return s("kilometer")
	case "cm":
		return s("centimeter")
	case "mm":
		return s("millimeter")
	case "g":
		return s("gram")
	case "kg":
		return s("kilogram")
	case "mg":
		return s("milligram")
	case "l", "L":
		return s("liter")
	case "ml", "mL":
		return s("milliliter")
	case "s", "sec":
		return s("second")
	case "ms":
		return s("millisecond")
	case "min":
		return s("minute")
	case "h", "hr", "hrs":
		return s("hour")
	case "mph":
		return [2]string{"mile per hour", "miles per hour"}
	case "kph":
		return [2]string{"kilometer per hour", "kilometers per hour"}
	case "mi":
		return s("mile")
	case "ft":
		return [2]string{"foot", "feet"}
	case "lb", "lbs":
		return s("pound")
	case "oz":
		return s("ounce")
	case "Hz":
		return [2]string{"hertz", "hertz"}
	case "kHz":
		return [2]string{"kilohertz", "kilohertz"}
	case "MHz":
		return [2]string{"megahertz", "megahertz"}
	case "GHz":
		return [2]string{"gigahertz", "gigahertz"}
	case "kB", "KB":
		return s("kilobyte")
	case "MB":
		return s("megabyte")
	case "GB":
		return s("gigabyte")
	case "TB":
		return s("terabyte")
	case "W":
		return s("watt")
	case "kW":
		return s("kilowatt")
	case "kWh":
		return s("kilowatt hour")
	case "V":
		return s("volt")
	}
	return [2]string{}
}

// numbers writes out dates and numbers whose signs voices spell or swallow.
func numbers(s string) string {
	if !strings.ContainsFunc(s, unicode.IsNumber) {
		return s
	}
	s = replaceGroups(isoDate, s, func(g []string) string {
		month, _ := strconv.Atoi(g[2])
		day, _ := strconv.Atoi(g[3])
		if month < 1 || month > 12 || day < 1 || day > 31 {
			return g[0]
		}
		names := [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
		return names[month-1] + " " + strconv.Itoa(day) + ", " + g[1]
	})
	s = midnight.ReplaceAllString(s, "0 $1")
	s = version.ReplaceAllStringFunc(s, func(v string) string { return strings.ReplaceAll(v, ".", " point ") })
	s = numberNo.ReplaceAllString(s, "number $1")
	s = always.ReplaceAllString(s, "24 7")
	s = about.ReplaceAllString(s, "${1}about $2")
	s = minus.ReplaceAllString(s, "$1 minus $2")
	s = times.ReplaceAllString(s, "$1 times $2")
	s = cross.ReplaceAllString(s, "$1 times $2")
	s = divided.ReplaceAllString(s, "$1 divided by $2")
	s = replaceGroups(less, s, func(g []string) string {
		words := map[string]string{"<": "less than", ">": "greater than", "<=": "at most", ">=": "at least"}
		return g[1] + " " + words[g[2]] + " " + g[3]
	})
	return replaceGroups(halves, s, func(g []string) string {
		name := map[string]string{"½": "half", "¼": "quarter", "¾": "three quarters", "⅓": "third", "⅔": "two thirds"}[g[2]]
		article := "a "
		if strings.HasSuffix(name, "s") {
			article = ""
		}
		if g[1] != "" {
			return g[1] + " and " + article + name
		}
		return article + name
	})
}

// symbols writes out the signs that are left.
func symbols(s string) string {
	s = either.ReplaceAllString(s, "$1 $2")
	if strings.ContainsRune(s, '^') {
		s = replaceGroups(power, s, func(g []string) string {
			switch g[1] {
			case "2":
				return " squared"
			case "3":
				return " cubed"
			}
			return " to the power of " + g[1]
		})
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return r == '&' || r > 0x7f }) {
		return s
	}
	return strings.NewReplacer("&", " and ", "×", " times ", "÷", " divided by ", "≤", " at most ", "≥", " at least ", "≠", " is not equal to ",
		"≈", " about ", "±", " plus or minus ", "√", " the square root of ", "∞", " infinity ", "π", " pi ", "²", " squared ", "³", " cubed ",
		"→", " to ", "⇒", " to ", "←", " from ", "↔", " and ", "‰", " per mille ", "§", " section ", "№", " number ", "·", ", ",
		"€", " euros ", "£", " pounds ", "¥", " yen ", "₹", " rupees ", "•", ", ").Replace(s)
}

// replaceGroups is ReplaceAllStringFunc with the groups of each match.
func replaceGroups(re *regexp.Regexp, s string, f func(groups []string) string) string {
	matches := re.FindAllStringSubmatchIndex(s, -1)
	if matches == nil {
		return s
	}
	var b strings.Builder
	last := 0
	for _, m := range matches {
		groups := make([]string, len(m)/2)
		for i := range groups {
			if m[2*i] >= 0 {
				groups[i] = s[m[2*i]:m[2*i+1]]
			}
		}
		b.WriteString(s[last:m[0]])
		b.WriteString(f(groups))
		last = m[1]
	}
	b.WriteString(s[last:])
	return b.String()
}
