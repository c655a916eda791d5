package app

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/signaling"
)

func files(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(list) == 0 {
		t.Fatalf("%s: %v, %d files", pattern, err, len(list))
	}
	return list
}

// Each bad file begins with a comment that says what Load must say.
func TestLoadRefuses(t *testing.T) {
	for _, path := range files(t, "*.bad.yml") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".bad.yml"), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(raw), "\n")
			want, ok := strings.CutPrefix(first, "# want: ")
			if !ok {
				t.Fatal("the file does not say what is wanted")
			}
			_, err = Load(Sources{File: path})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got  %v\nwant %s", err, want)
			}
			plainSentence(t, err)
		})
	}
}

// plainSentence fails where an error shows what only a Go programmer understands.
func plainSentence(t *testing.T, err error) {
	t.Helper()
	internals := regexp.MustCompile(`(?i)strconv|mapstructure|koanf|unmarshal|!!|interface|%!|0x|\bapp:|decod|invalid syntax|app\.Config|goroutine|\bnil\b`)
	if found := internals.FindString(err.Error()); found != "" {
		t.Errorf("the message shows %q: %v", found, err)
	}
	if lines := strings.Count(err.Error(), "\n"); lines > 0 && !strings.HasPrefix(err.Error(), "some settings cannot be used:\n  ") {
		t.Errorf("one mistake, %d lines: %v", lines+1, err)
	}
}

func TestLoadTakes(t *testing.T) {
	wants := map[string]func(c *Config){
		"empty":                   func(*Config) {},
		"groups_without_settings": func(*Config) {},
		"everyday": func(c *Config) {
			c.Listen, c.Key = "0.0.0.0:9000", "correct-horse"
			c.Session.Silence, c.Session.Speak, c.Session.Threshold = 300*time.Millisecond, false, 0.6
			c.STT.Engine, c.STT.OpenAI.BaseURL, c.STT.OpenAI.Model = "openai", "http://127.0.0.1:8000/v1", "small"
			c.LLM.OpenAI.BaseURL, c.LLM.OpenAI.Temperature = "http://127.0.0.1:11434/v1", new(float64(0))
			c.Signaling.MaxCalls = 7
			c.Signaling.AllowedOrigins = []string{"https://example.com", "https://example.org"}
			c.Signaling.ICEServers = []signaling.ICEServer{
				{URLs: []string{"turn:turn.example.com:3478", "stun:stun.example.com"}, Username: "u", Credential: "a-turn-secret"},
				{URLs: []string{"stun:stun.example.org"}},
			}
			c.Store.Engine = "none"
		},
		"dotted":  func(c *Config) { c.STT.Engine, c.LLM.OpenAI.Model = "unassigned", "llama3.2" },
		"lenient": func(c *Config) { c.Signaling.MaxCalls, c.TTS.OpenAI.Speed = 7, 2 },
	}
	for _, path := range files(t, "*.good.yml") {
		name := strings.TrimSuffix(filepath.Base(path), ".good.yml")
		t.Run(name, func(t *testing.T) {
			got, err := Load(Sources{File: path})
			if err != nil {
				t.Fatal(err)
			}
			change, ok := wants[name]
			if !ok {
				t.Fatal("nothing is wanted of the file")
			}
			want := DefaultConfig()
			change(&want)
			same(t, got, want)
		})
	}
}

// same compares configurations as they are printed, which shows a list that is
// empty like one that is not there, and their keys apart, which are not printed.
func same(t *testing.T, got, want Config) {
	t.Helper()
	if g, w := printed(t, got), printed(t, want); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
	secrets := func(c Config) []string {
		list := []string{c.Key.Reveal(), c.STT.OpenAI.APIKey.Reveal(), c.LLM.OpenAI.APIKey.Reveal(), c.TTS.OpenAI.APIKey.Reveal()}
		for _, s := range c.Signaling.ICEServers {
			list = append(list, s.Credential)
		}
		return list
	}
	if g, w := secrets(got), secrets(want); !slices.Equal(g, w) {
		t.Errorf("secrets: got %q, want %q", g, w)
	}
}

func printed(t *testing.T, c Config) string {
	t.Helper()
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLoadFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "missing.yml"): "missing.yml does not exist",
		dir:                               "cannot be read: is a directory",
	} {
		_, err := Load(Sources{File: path})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("got %v, want %q", err, want)
		}
		plainSentence(t, err)
	}
}

// Each source outweighs those before it.
func TestLoadLayers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley.yml")
	if err := os.WriteFile(path, []byte("data: file\nmodels: file\nlisten: 127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(Sources{
		File:    path,
		Environ: []string{"HOME=/root", "PARLEY_MODELS=environment", "PARLEY_LISTEN=127.0.0.1:2"},
		Flags:   map[string]string{"listen": "127.0.0.1:3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Data != "file" || got.Models != "environment" || got.Listen != "127.0.0.1:3" || got.STT.Engine != Auto {
		t.Errorf("data %q, models %q, listen %q, stt.engine %q", got.Data, got.Models, got.Listen, got.STT.Engine)
	}
}

// What the environment and the command line give is text; both are read alike.
func TestLoadReadsText(t *testing.T) {
	tests := map[string]struct {
		key, value string
		want       func(c *Config) // nil: refused
	}{
		"text":               {"stt.openai.base_url", "http://127.0.0.1:8000/v1", func(c *Config) { c.STT.OpenAI.BaseURL = "http://127.0.0.1:8000/v1" }},
		"text like a number": {"llm.openai.model", "42", func(c *Config) { c.LLM.OpenAI.Model = "42" }},
		"no text":            {"media.tcp_address", "", func(c *Config) { c.Media.TCPAddress = "" }},
		"secret":             {"key", " correct-horse\n", func(c *Config) { c.Key = "correct-horse" }},
		"number":             {"signaling.max_calls", "7", func(c *Config) { c.Signaling.MaxCalls = 7 }},
		"fraction":           {"session.threshold", "0.25", func(c *Config) { c.Session.Threshold = 0.25 }},
		"maybe a fraction":   {"llm.openai.temperature", "0.5", func(c *Config) { c.LLM.OpenAI.Temperature = new(0.5) }},
		"true":               {"stt.scripted.partials", "true", func(c *Config) { c.STT.Scripted.Partials = true }},
		"duration":           {"session.silence", "1.5s", func(c *Config) { c.Session.Silence = 1500 * time.Millisecond }},
		"list":               {"stt.guard.phrases", "thank you, bye ,", func(c *Config) { c.STT.Guard.Phrases = []string{"thank you", "bye"} }},
		"list in YAML":       {"stt.guard.phrases", "[ 'well, well' ]", func(c *Config) { c.STT.Guard.Phrases = []string{"well, well"} }},
		"empty list":         {"stt.guard.phrases", "", func(*Config) {}},
		"list of groups": {"signaling.ice_servers", "[{urls: 'stun:a'}]", func(c *Config) {
			c.Signaling.ICEServers = []signaling.ICEServer{{URLs: []string{"stun:a"}}}
		}},
		"text for a number":    {"signaling.max_calls", "many", nil},
		"nothing for a number": {"signaling.max_calls", "", nil},
		"text for true":        {"session.speak", "maybe", nil},
		"nothing for true":     {"session.speak", "", nil},
		"no unit":              {"session.silence", "500", nil},
		"nothing for a time":   {"session.silence", "", nil},
		"broken YAML":          {"stt.guard.phrases", "[a", nil},
		"no list of groups":    {"signaling.ice_servers", "stun:a", nil},
		"a group":              {"session", "hands_free", nil},
		"nothing known":        {"swing", "low", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for source, s := range map[string]Sources{
				"environment variable": {Environ: []string{EnvName(test.key) + "=" + test.value}},
				"command line":         {Flags: map[string]string{test.key: test.value}},
			} {
				got, err := Load(s)
				if test.want == nil {
					if err == nil || !strings.HasPrefix(err.Error(), source) {
						t.Fatalf("%s: got %v", source, err)
					}
					plainSentence(t, err)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				want := DefaultConfig()
				test.want(&want)
				same(t, got, want)
			}
		})
	}
}

func TestLoadEnvironment(t *testing.T) {
	got, err := Load(Sources{Environ: []string{
		"PARLEY_LISTEN=127.0.0.1:1", "PARLEY_LISTEN=127.0.0.1:2", // as a shell's assignment before a command leaves it
		"PARLEY_SPEECH=/recordings", "PARLEYS=many", "OPENAI_API_KEY=none-of-ours", "broken",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != "127.0.0.1:2" || got.LLM.OpenAI.APIKey != "" {
		t.Errorf("listen %q, key %q", got.Listen, got.LLM.OpenAI.APIKey.Reveal())
	}
	_, err = Load(Sources{Environ: []string{"PARLEY_STTENGINE=openai"}})
	if want := `environment variable PARLEY_STTENGINE is no setting of parley; did you mean "PARLEY_STT_ENGINE"?`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// No two settings may share a variable, and the names that documents tell hold.
func TestEnvNames(t *testing.T) {
	names := map[string]string{}
	for key := range settings() {
		name := EnvName(key)
		if other, taken := names[name]; taken {
			t.Errorf("%s is %s and %s", name, key, other)
		}
		names[name] = key
	}
	for name, key := range map[string]string{
		"PARLEY_KEY": "key", "PARLEY_STT_OPENAI_BASE_URL": "stt.openai.base_url", "PARLEY_LLM_OPENAI_API_KEY": "llm.openai.api_key",
		"PARLEY_SIGNALING_ICE_SERVERS": "signaling.ice_servers", "PARLEY_MEDIA_ADVERTISED_ADDRESSES": "media.advertised_addresses",
	} {
		if names[name] != key {
			t.Errorf("%s is %q, want %s", name, names[name], key)
		}
	}
	for _, name := range otherVariables() {
		if key, taken := names[name]; taken {
			t.Errorf("%s is not for tests only: it is %s", name, key)
		}
	}
}

// What is known as settings and what YAML prints are the same names.
func TestSettingsAreWhatIsPrinted(t *testing.T) {
	l, err := fromYAML("print", []byte(printed(t, DefaultConfig())), settings())
	if err != nil {
		t.Fatal(err)
	}
	known := settings()
	delete(known, "llm.openai.temperature") // null, and so not set
	if got, want := slices.Sorted(maps.Keys(l)), slices.Sorted(maps.Keys(known)); !slices.Equal(got, want) {
		t.Errorf("printed\n%q\nknown\n%q", got, want)
	}
}

func TestPrintHidesSecrets(t *testing.T) {
	const canary = "canary-0123456789"
	c := DefaultConfig()
	c.Key, c.STT.OpenAI.APIKey, c.LLM.OpenAI.APIKey, c.TTS.OpenAI.APIKey = canary, canary, canary, canary
	c.Signaling.Key = canary
	c.Signaling.ICEServers = []signaling.ICEServer{{URLs: []string{"turn:a"}, Username: "u", Credential: canary}}
	out := printed(t, c)
	if strings.Contains(out, canary) || strings.Count(out, "[redacted]") != 5 {
		t.Errorf("secrets are shown or not even hinted at:\n%s", out)
	}
	if c.Signaling.ICEServers[0].Credential != canary {
		t.Error("printing changed the configuration")
	}
}

// What Print writes is what Load takes, for all good files, once the secrets
// are filled in again.
func TestPrintedLoadsAgain(t *testing.T) {
	for _, path := range files(t, "*.good.yml") {
		want, err := Load(Sources{File: path})
		if err != nil {
			t.Fatal(err)
		}
		out := strings.NewReplacer("key: '[redacted]'", "key: correct-horse", "credential: '[redacted]'", "credential: a-turn-secret").
			Replace(printed(t, want))
		again := filepath.Join(t.TempDir(), "printed.yml")
		if err := os.WriteFile(again, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Load(Sources{File: again})
		if err != nil {
			t.Fatalf("%s: %v\n%s", path, err, out)
		}
		same(t, got, want)
	}
}

// Whatever a file holds, Load returns, and what it took prints and loads again.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"*.good.yml", "*.bad.yml"} {
		list, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range list {
			raw, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(raw))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "parley.yml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(Sources{File: path})
		if err != nil {
			return
		}
		out := printed(t, c)
		if strings.Contains(out, "[redacted]") {
			return
		}
		if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Load(Sources{File: path})
		if err != nil {
			t.Fatalf("what was printed cannot be loaded: %v\n%s", err, out)
		}
		same(t, again, c)
	})
}
