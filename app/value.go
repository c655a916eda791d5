package app

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"
)

// settings maps the name of every setting to the type of its value.
func settings() map[string]reflect.Type {
	known := map[string]reflect.Type{}
	collect(known, "", reflect.TypeFor[Config]())
	return known
}

// collect takes the settings of a struct, whose names begin with prefix.
func collect(known map[string]reflect.Type, prefix string, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("koanf")
		switch {
		case name == "-" || name == "":
		case f.Type.Kind() == reflect.Struct && !parsesText(f.Type):
			collect(known, prefix+name+".", f.Type)
		default:
			known[prefix+name] = f.Type
		}
	}
}

func parsesText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// check returns v as a setting of type t takes it, or says why it cannot. Texts
// are taken for what they say, because the environment and the command line
// know nothing else; beyond that nothing is converted: what is refused here
// would otherwise be understood in a way that was not meant.
func check(name string, t reflect.Type, v any) (any, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		return checkList(name, t, v)
	}
	if t.Kind() == reflect.Struct && !parsesText(t) {
		return checkEntry(name, t, v)
	}
	out := reflect.New(t)
	if !fits(t, v) {
		return nil, misfit(name, t, v)
	}
	if text, ok := v.(string); ok && parsesText(t) {
		err := out.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)) //nolint:forcetypeassert // parsesText looked
		if err != nil {
			return nil, fmt.Errorf("%s: %s", name, plain(err))
		}
		return out.Elem().Interface(), nil
	}
	decoder, err := mapstructure.NewDecoder(decoding(out.Interface()))
	if err == nil {
		err = decoder.Decode(v)
	}
	if err != nil || v == "" && t.Kind() != reflect.String {
		return nil, misfit(name, t, v)
	}
	return out.Elem().Interface(), nil
}

// checkList takes a list, or a text that holds one: parts between commas, or
// YAML in brackets.
func checkList(name string, t reflect.Type, v any) (any, error) {
	list, ok := v.([]any)
	if text, isText := v.(string); isText {
		list, ok = splitList(text)
	}
	if !ok {
		return nil, misfit(name, t, v)
	}
	out := make([]any, 0, len(list))
	for i, entry := range list {
		held, err := check(fmt.Sprintf("%s: entry %d", name, i+1), t.Elem(), entry)
		if err != nil {
			return nil, err
		}
		out = append(out, held)
	}
	return out, nil
}

func splitList(text string) (list []any, ok bool) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return list, yaml.Unmarshal([]byte(text), &list) == nil
	}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list, true
}

// checkEntry takes an entry of a list that has settings of its own.
func checkEntry(name string, t reflect.Type, v any) (any, error) {
	tree, ok := v.(map[string]any)
	if !ok {
		return nil, misfit(name, t, v)
	}
	known := map[string]reflect.Type{}
	collect(known, "", t)
	l := layer{}
	if err := l.fill("", tree, known); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return map[string]any(l), nil
}

// fits tells whether a value of YAML is of the kind that t holds.
func fits(t reflect.Type, v any) bool {
	switch v := v.(type) {
	case string:
		return true
	case bool:
		return t.Kind() == reflect.Bool
	case int:
		if t == reflect.TypeFor[time.Duration]() {
			return v == 0 // any other number wants a unit
		}
		return slices.Contains([]reflect.Kind{reflect.Int, reflect.Int64, reflect.Float32, reflect.Float64}, t.Kind())
	case float64:
		return t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	}
	return false
}

func misfit(name string, t reflect.Type, v any) error {
	hint := ""
	switch v.(type) {
	case bool, int, float64:
		if t.Kind() == reflect.String {
			hint = "; put it in quotes"
		}
	}
	return fmt.Errorf("%s: %s is not %s%s", name, show(t, v), describe(t), hint)
}

// show is a value in a message. Secrets are not shown.
func show(t reflect.Type, v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case []any:
		return "a list"
	case map[string]any:
		return "a group of settings"
	case string:
		if len(v) > 60 || parsesText(t) {
			return "the text given"
		}
		return fmt.Sprintf("%q", v)
	}
	if parsesText(t) {
		return "the value given"
	}
	return fmt.Sprint(v)
}

// describe names what a setting of type t holds.
func describe(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration with its unit, such as 500ms or 30s"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return "a whole number"
	case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Struct && !parsesText(t):
		return "a group of settings"
	}
	return "text"
}

// plain is the innermost text of err, without the places it passed.
func plain(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return withoutPlace(err.Error())
}

// withoutPlace drops "package: " or "package/part: action: " from the beginning
// of an error's text.
func withoutPlace(text string) string {
	for {
		place, rest, ok := strings.Cut(text, ": ")
		if !ok || !slices.Contains(places(), strings.SplitN(place, "/", 2)[0]) {
			return text
		}
		text = rest
	}
}

// places are the packages whose names begin errors of configurations, and the
// word for it.
func places() []string {
	return []string{"endpoint", "signaling", "media", "vad", "stt", "llm", "tts", "config"}
}

// didYouMean offers the known names that come closest.
func didYouMean(name string, known []string) string {
	slices.Sort(known)
	var ends []string
	best, least := "", len(name)/3+1 // as many letters wrong as may be
	for _, k := range known {
		if strings.HasSuffix(k, "."+name) || strings.HasSuffix(name, "."+k) { // in another group, or in none
			ends = append(ends, fmt.Sprintf("%q", k))
		}
		if d := distance([]rune(strings.ToLower(name)), []rune(strings.ToLower(k))); d < least {
			best, least = k, d
		}
	}
	switch {
	case len(ends) > 0:
		return "; did you mean " + strings.Join(ends, " or ") + "?"
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; 'parley serve --print-config' shows all of them"
}

// distance is the Levenshtein distance of a and b: how many elements must be
// changed, added or left out to make one of the other.
func distance[T comparable](a, b []T) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
