package app

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

// envPrefix begins the environment variable of every setting: stt.engine is
// PARLEY_STT_ENGINE.
const envPrefix = "PARLEY_"

// Sources are where settings come from besides the defaults, weakest first.
type Sources struct {
	File    string            // YAML; "" for none
	Environ []string          // as os.Environ gives it; of a variable that is there twice, the last counts
	Flags   map[string]string // setting → value, from the command line
}

// layer holds the settings of one source, by name and not nested.
type layer map[string]any

// Load puts the configuration together: defaults < file < environment < flags.
// It is strict: a setting that does not exist, or cannot hold its value, is an
// error that names it and its source. A setting that is null is not set.
func Load(s Sources) (Config, error) {
	known := settings()
	file, err := fromFile(s.File, known)
	if err != nil {
		return Config{}, err
	}
	env, err := fromEnviron(s.Environ, known)
	if err != nil {
		return Config{}, err
	}
	flags, err := fromFlags(s.Flags, known)
	if err != nil {
		return Config{}, err
	}
	k := koanf.New(".")
	if err := k.Load(structs.Provider(DefaultConfig(), "koanf"), nil); err != nil {
		return Config{}, fmt.Errorf("app: default configuration: %w", err)
	}
	for _, l := range []layer{file, env, flags} {
		if err := k.Load(confmap.Provider(l, "."), nil); err != nil {
			return Config{}, fmt.Errorf("app: put the configuration together: %w", err)
		}
	}
	var c Config
	if err := k.UnmarshalWithConf("", &c, koanf.UnmarshalConf{DecoderConfig: decoding(&c)}); err != nil {
		return Config{}, fmt.Errorf("app: put the configuration together: %w", err)
	}
	return c, c.Validate()
}

// decoding says how values become those of the configuration: texts are parsed
// to what is wanted. What does not fit was refused before, by check.
func decoding(result any) *mapstructure.DecoderConfig {
	return &mapstructure.DecoderConfig{
		Result: result, TagName: "koanf", WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(),
			mapstructure.TextUnmarshallerHookFunc(),
		),
	}
}

func fromFile(path string, known map[string]reflect.Type) (layer, error) {
	if path == "" {
		return nil, nil
	}
	source := "configuration file " + path
	raw, err := os.ReadFile(path)
	if err != nil {
		var at *fs.PathError
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s does not exist", source)
		} else if errors.As(err, &at) {
			err = at.Err
		}
		return nil, fmt.Errorf("%s cannot be read: %w", source, err)
	}
	return fromYAML(source, raw, known)
}

func fromYAML(source string, raw []byte, known map[string]reflect.Type) (layer, error) {
	tree, err := yaml.Parser().Unmarshal(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", source, yamlFault(err))
	}
	l := layer{}
	if err := l.fill("", tree, known); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return l, nil
}

// yamlFault says what is wrong with a file in the words of a person.
func yamlFault(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if strings.Contains(text, "cannot unmarshal") {
		return "it must hold settings, such as 'listen: 127.0.0.1:8080'"
	}
	text = strings.TrimPrefix(text, "yaml: ")
	return "it is no good YAML: " + strings.TrimPrefix(text, "unmarshal errors: ")
}

// fill takes the settings out of a tree, whose names begin with prefix.
func (l layer) fill(prefix string, tree map[string]any, known map[string]reflect.Type) error {
	for _, name := range slices.Sorted(maps.Keys(tree)) { // sorted: the same mistake first each time
		value, key := tree[name], prefix+name
		branch, nested := value.(map[string]any)
		t, ok := known[key]
		_, twice := l[key]
		var err error
		switch {
		case twice:
			err = fmt.Errorf("%s is set twice", key)
		case value == nil && (ok || isGroup(key, known)):
		case ok:
			l[key], err = check(key, t, value)
		case nested && isGroup(key, known):
			err = l.fill(key+".", branch, known)
		case isGroup(key, known):
			err = fmt.Errorf("%s is a group of settings and holds no value itself", key)
		default:
			err = unknown(key, known)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fromEnviron picks the settings out of the environment.
func fromEnviron(environ []string, known map[string]reflect.Type) (layer, error) {
	names := map[string]string{}
	for key := range known {
		names[EnvName(key)] = key
	}
	l := layer{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(otherVariables(), name) {
			continue
		}
		key, ok := names[name]
		if !ok {
			return nil, fmt.Errorf("environment variable %s is no setting of parley%s", name, didYouMean(name, slices.Collect(maps.Keys(names))))
		}
		var err error
		if l[key], err = check(name, known[key], value); err != nil {
			return nil, fmt.Errorf("environment variable %w", err)
		}
	}
	return l, nil
}

func fromFlags(flags map[string]string, known map[string]reflect.Type) (layer, error) {
	l := layer{}
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		t, ok := known[key]
		err := unknown(key, known)
		if ok {
			l[key], err = check(key, t, flags[key])
		}
		if err != nil {
			return nil, fmt.Errorf("command line: %w", err)
		}
	}
	return l, nil
}

// otherVariables begin like settings but are for tests: where recordings lie,
// and where to put screenshots.
func otherVariables() []string { return []string{"PARLEY_SPEECH", "PARLEY_SHOTS"} }

// EnvName is the environment variable of a setting.
func EnvName(key string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// groups are the beginnings that settings have in common, such as "stt" and
// "stt.openai".
func groups(known map[string]reflect.Type) []string {
	found := map[string]bool{}
	for key := range known {
		for i, r := range key {
			if r == '.' {
				found[key[:i]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func isGroup(key string, known map[string]reflect.Type) bool {
	return slices.Contains(groups(known), key)
}

func unknown(key string, known map[string]reflect.Type) error {
	names := append(groups(known), slices.Collect(maps.Keys(known))...)
	return fmt.Errorf("there is no setting %q%s", key, didYouMean(key, names))
}
