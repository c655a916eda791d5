package app

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

// envPrefix begins the environment variable of every setting: stt.engine is
// PARLEY_STT_ENGINE.
const envPrefix = "PARLEY_"

// Sources are where settings come from besides the defaults, weakest first.
type Sources struct {
	File    string            // YAML; "" for none
	Environ []string          // as os.Environ gives it
	Flags   map[string]string // setting → value, from the command line
}

// Load puts the configuration together: defaults < file < environment < flags.
// It is strict: a setting that does not exist, or cannot hold its value, is an
// error that names it and its source.
func Load(s Sources) (Config, error) {
	k := koanf.New(".")
	if err := k.Load(structs.Provider(DefaultConfig(), "koanf"), nil); err != nil {
		return Config{}, fmt.Errorf("app: default configuration: %w", err)
	}
	known := k.Keys()
	if s.File != "" {
		if err := loadFile(k, s.File, known); err != nil {
			return Config{}, err
		}
	}
	env, err := fromEnviron(s.Environ, known)
	if err != nil {
		return Config{}, err
	}
	if err := merge(k, env, known, "the command line", s.Flags); err != nil {
		return Config{}, err
	}
	var c Config
	if err := decode(k, &c); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

func loadFile(k *koanf.Koanf, path string, known []string) error {
	own := koanf.New(".")
	if err := own.Load(file.Provider(path), yaml.Parser()); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("configuration file %s does not exist", path)
		}
		return fmt.Errorf("configuration file %s cannot be read: %w", path, err)
	}
	for _, key := range own.Keys() {
		if err := exists(key, known, "configuration file "+path); err != nil {
			return err
		}
	}
	return k.Merge(own)
}

// merge lays the environment's settings and then those of one more source over k.
func merge(k *koanf.Koanf, env map[string]any, known []string, source string, settings map[string]string) error {
	over := map[string]any{}
	for key, value := range settings {
		if err := exists(key, known, source); err != nil {
			return err
		}
		over[key] = value
	}
	if err := k.Load(confmap.Provider(env, "."), nil); err != nil {
		return fmt.Errorf("app: environment: %w", err)
	}
	return k.Load(confmap.Provider(over, "."), nil)
}

// fromEnviron picks the settings out of the environment.
func fromEnviron(environ, known []string) (map[string]any, error) {
	names := map[string]string{}
	for _, key := range known {
		names[EnvName(key)] = key
	}
	found := map[string]any{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(otherVariables(), name) {
			continue
		}
		key, ok := names[name]
		if !ok {
			return nil, fmt.Errorf("environment variable %s is no setting of parley%s", name, didYouMean(name, slices.Collect(maps.Keys(names))))
		}
		found[key] = value
	}
	return found, nil
}

// otherVariables begin like settings but are for tests: where recordings lie,
// and where to put screenshots.
func otherVariables() []string { return []string{"PARLEY_SPEECH", "PARLEY_SHOTS"} }

// EnvName is the environment variable of a setting.
func EnvName(key string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// exists checks that key is a setting, or lies in one that is a list or a map.
func exists(key string, known []string, source string) error {
	if slices.Contains(known, key) {
		return nil
	}
	return fmt.Errorf("%s: there is no setting %q%s", source, key, didYouMean(key, known))
}

func didYouMean(name string, known []string) string {
	best, least := "", 4
	for _, k := range known {
		if d := distance(name, k); d < least || (d == least && k < best) {
			best, least = k, d
		}
	}
	if best == "" {
		return "; see 'parley serve --print-config' for all of them"
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the Levenshtein distance of a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

func decode(k *koanf.Koanf, c *Config) error {
	err := k.UnmarshalWithConf("", c, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: c, TagName: "koanf", WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(),
			mapstructure.StringToSliceHookFunc(","),
			mapstructure.TextUnmarshallerHookFunc(),
		),
	}})
	if err != nil {
		return fmt.Errorf("a setting has a value it cannot hold: %s", plain(err))
	}
	return nil
}

// plain shortens mapstructure's errors to their lines.
func plain(err error) string {
	text := err.Error()
	if _, list, ok := strings.Cut(text, "error(s) decoding:"); ok {
		text = list
	}
	return strings.Join(strings.Fields(strings.NewReplacer("* ", "", "\n", " ").Replace(text)), " ")
}
