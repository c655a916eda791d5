package pocketsphinx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/fault"
)

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		ok     bool
	}{
		"defaults":               {func(*Config) {}, true},
		"no folder":              {func(c *Config) { c.ModelDir = "" }, false},
		"no folder but files":    {func(c *Config) { c.ModelDir, c.AcousticModel, c.LanguageModel, c.Dictionary = "", "a", "b", "c" }, true},
		"negative decoders":      {func(c *Config) { c.Decoders = -1 }, false},
		"a thousand decoders":    {func(c *Config) { c.Decoders = 1000 }, false},
		"negative queue":         {func(c *Config) { c.MaxWaiting = -1 }, false},
		"negative utterance":     {func(c *Config) { c.MaxUtterance = -1 }, false},
		"an hour's utterance":    {func(c *Config) { c.MaxUtterance = time.Hour }, false},
		"five minutes utterance": {func(c *Config) { c.MaxUtterance = 5 * time.Minute }, true},
	} {
		cfg := DefaultConfig()
		c.change(&cfg)
		if err := cfg.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestZeroesMeanChoose(t *testing.T) {
	c := Config{}.withDefaults()
	if c.Decoders < minDecoders || c.Decoders > maxDecoders || c.MaxWaiting != waitingEach*c.Decoders || c.MaxUtterance != defaultUtterance {
		t.Errorf("%+v", c)
	}
	if c := (Config{Decoders: 1, MaxWaiting: 2, MaxUtterance: 3}).withDefaults(); c.Decoders != 1 || c.MaxWaiting != 2 || c.MaxUtterance != 3 {
		t.Errorf("%+v", c)
	}
}

func TestFilesCanBeReplaced(t *testing.T) {
	c := DefaultConfig()
	c.Dictionary = "/etc/words.dict"
	want := files{acoustic: DefaultModelDir + "/en-us", language: DefaultModelDir + "/en-us.lm.bin", dictionary: "/etc/words.dict"}
	if got := c.files(); got != want {
		t.Errorf("files %+v, want %+v", got, want)
	}
}

func TestCheck(t *testing.T) {
	cfg := DefaultConfig()
	cfg.ModelDir = t.TempDir()
	mustBeMisconfigured := func(what, hint string) {
		t.Helper()
		err := Check(cfg)
		if fault.KindOf(err) != fault.Misconfigured || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !built {
		mustBeMisconfigured("no cgo", "nopocketsphinx")
		return
	}
	mustBeMisconfigured("empty folder", "apt-get install pocketsphinx-en-us")
	if _, err := New(cfg, nil); fault.KindOf(err) != fault.Misconfigured {
		t.Errorf("New: %v", err)
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(cfg.ModelDir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"mdef", "feat.params", "means", "variances", "transition_matrices"} {
		write("en-us/"+name, "x")
	}
	write("cmudict-en-us.dict", "x")
	write("en-us.lm.bin", "")
	mustBeMisconfigured("empty language model", "en-us.lm.bin is empty")
	write("en-us.lm.bin", "x")
	if err := Check(cfg); err != nil {
		t.Errorf("all files are there: %v", err)
	}
	cfg.Decoders = -1
	mustBeMisconfigured("bad settings", "decoders")
}
