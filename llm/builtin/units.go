package builtin

import (
	"math/big"
	"strings"
)

// dimension is what a unit measures.
type dimension string

const (
	length      dimension = "a length"
	area        dimension = "an area"
	volume      dimension = "a volume"
	mass        dimension = "a weight"
	duration    dimension = "a time"
	speed       dimension = "a speed"
	data        dimension = "an amount of data"
	temperature dimension = "a temperature"
)

// unit is a unit of measurement: (value + offset) × factor is the value in the
// base unit of its dimension. Factors are exact decimals or fractions.
type unit struct {
	one, many string
	dim       dimension
	factor    string
	offset    string
	names     []string // further names, as they are normalised, in the singular
}

// units are all units. The exact factors are those of the international yard
// and pound agreement (1959) and of the US gallon of 231 cubic inches.
var units = []unit{
	{"millimeter", "millimeters", length, "0.001", "", []string{"mm"}},
	{"centimeter", "centimeters", length, "0.01", "", []string{"cm"}},
	{"meter", "meters", length, "1", "", []string{"m"}},
	{"kilometer", "kilometers", length, "1000", "", []string{"km", "kilo meter"}},
	{"inch", "inches", length, "0.0254", "", nil},
	{"foot", "feet", length, "0.3048", "", []string{"ft", "feed"}},
	{"yard", "yards", length, "0.9144", "", []string{"yd"}},
	{"mile", "miles", length, "1609.344", "", []string{"mi"}},
	{"nautical mile", "nautical miles", length, "1852", "", nil},
	{"square meter", "square meters", area, "1", "", []string{"m squared"}},
	{"square kilometer", "square kilometers", area, "1000000", "", nil},
	{"square foot", "square feet", area, "0.09290304", "", nil},
	{"square mile", "square miles", area, "2589988.110336", "", nil},
	{"acre", "acres", area, "4046.8564224", "", nil},
	{"hectare", "hectares", area, "10000", "", nil},
	{"milliliter", "milliliters", volume, "0.001", "", []string{"ml"}},
	{"centiliter", "centiliters", volume, "0.01", "", []string{"cl"}},
	{"liter", "liters", volume, "1", "", []string{"l"}},
	{"teaspoon", "teaspoons", volume, "0.00492892159375", "", []string{"tsp"}},
	{"tablespoon", "tablespoons", volume, "0.01478676478125", "", []string{"tbsp"}},
	{"fluid ounce", "fluid ounces", volume, "0.0295735295625", "", []string{"fl oz"}},
	{"cup", "cups", volume, "0.2365882365", "", nil},
	{"pint", "pints", volume, "0.473176473", "", nil},
	{"quart", "quarts", volume, "0.946352946", "", nil},
	{"gallon", "gallons", volume, "3.785411784", "", []string{"gal"}},
	{"milligram", "milligrams", mass, "0.000001", "", []string{"mg"}},
	{"gram", "grams", mass, "0.001", "", []string{"g"}},
	{"kilogram", "kilograms", mass, "1", "", []string{"kg", "kilo"}},
	{"ton", "metric tons", mass, "1000", "", []string{"metric ton"}},
	{"ounce", "ounces", mass, "0.028349523125", "", []string{"oz"}},
	{"pound", "pounds", mass, "0.45359237", "", []string{"lb"}},
	{"stone", "stone", mass, "6.35029318", "", nil},
	{"millisecond", "milliseconds", duration, "0.001", "", []string{"ms"}},
	{"second", "seconds", duration, "1", "", []string{"sec"}},
	{"minute", "minutes", duration, "60", "", []string{"min"}},
	{"hour", "hours", duration, "3600", "", []string{"hr"}},
	{"day", "days", duration, "86400", "", nil},
	{"week", "weeks", duration, "604800", "", nil},
	{"year", "years", duration, "31536000", "", nil},
	{"meter per second", "meters per second", speed, "1", "", nil},
	{"kilometer per hour", "kilometers per hour", speed, "5/18", "", []string{"km per h", "kmh", "kph", "kilometer an hour"}},
	{"mile per hour", "miles per hour", speed, "0.44704", "", []string{"mph", "mile an hour"}},
	{"foot per second", "feet per second", speed, "0.3048", "", nil},
	{"knot", "knots", speed, "1852/3600", "", nil},
	{"bit", "bits", data, "1/8", "", nil},
	{"byte", "bytes", data, "1", "", nil},
	{"kilobyte", "kilobytes", data, "1000", "", []string{"kb"}},
	{"megabyte", "megabytes", data, "1000000", "", []string{"mb", "meg"}},
	{"gigabyte", "gigabytes", data, "1000000000", "", []string{"gb", "gig"}},
	{"terabyte", "terabytes", data, "1000000000000", "", []string{"tb"}},
	{"kibibyte", "kibibytes", data, "1024", "", []string{"kib"}},
	{"mebibyte", "mebibytes", data, "1048576", "", []string{"mib"}},
	{"gibibyte", "gibibytes", data, "1073741824", "", []string{"gib"}},
	{"degree Celsius", "degrees Celsius", temperature, "1", "273.15", []string{"celsius", "c", "centigrade",
		"degree c", "degree centigrade"}},
	{"degree Fahrenheit", "degrees Fahrenheit", temperature, "5/9", "459.67", []string{"fahrenheit", "f", "degree f"}},
	{"kelvin", "kelvin", temperature, "1", "", []string{"degree kelvin", "k"}},
}

// unitName is one name of a unit, in words.
type unitName struct {
	words []string
	unit  unit
}

// unitNames are all names of all units.
var unitNames = nameUnits(units)

func nameUnits(units []unit) []unitName {
	var out []unitName
	for _, u := range units {
		for _, name := range append([]string{u.one, u.many}, u.names...) {
			out = append(out, unitName{strings.Fields(strings.ToLower(name)), u})
		}
	}
	return out
}

// matchUnit reads the unit at the beginning of words and returns how many
// words it takes; 0 when there is none. The longest name wins, then the one
// that fits best.
func matchUnit(words []string) (unit, int) {
	var best unit
	used, quality := 0, 0
	for _, n := range unitNames {
		if fit := unitFit(words, n.words); fit > 0 && (len(n.words) > used || len(n.words) == used && fit > quality) {
			best, used, quality = n.unit, len(n.words), fit
		}
	}
	return best, used
}

// unitFit reports how well words begin with name: 3 exactly, 2 but for a
// plural, 1 but for a letter, 0 not at all.
func unitFit(words, name []string) int {
	if len(words) < len(name) {
		return 0
	}
	fit := 3
	for i, n := range name {
		switch w := words[i]; {
		case w == n:
		case strings.TrimSuffix(w, "s") == n:
			fit = min(fit, 2)
		case near(w, n):
			fit = min(fit, 1)
		default:
			return 0
		}
	}
	return fit
}

func (u unit) ratio(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// toBase converts v from u to the base unit, and fromBase back.
func (u unit) toBase(v *big.Rat) *big.Rat {
	r := new(big.Rat).Add(v, u.ratio(u.offset))
	return r.Mul(r, u.ratio(u.factor))
}

func (u unit) fromBase(v *big.Rat) *big.Rat {
	r := new(big.Rat).Quo(v, u.ratio(u.factor))
	return r.Sub(r, u.ratio(u.offset))
}

// name returns the unit's name for a quantity.
func (u unit) name(v *big.Rat) string {
	if v.Cmp(big.NewRat(1, 1)) == 0 {
		return u.one
	}
	return u.many
}
