package espeak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/audio"
	"parley/internal/fault"
	"parley/tts"
	"parley/tts/ttstest"
)

func engine(t testing.TB, change func(*Config)) *Engine {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg, nil)
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("espeak-ng is not installed")
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fake is an engine whose program is a shell script.
func fake(t *testing.T, script string) (e *Engine, dir string) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, "fake-espeak")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho $$ > "+dir+"/pid\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return engine(t, func(c *Config) { c.Command = path }), dir
}

func TestConformance(t *testing.T) {
	engine(t, nil)
	ttstest.Run(t, ttstest.Fixture{New: func(t *testing.T) tts.Voice { return engine(t, nil) }})
}

func TestLanguages(t *testing.T) {
	for language, text := range map[string]string{
		"de": "Guten Tag, wie geht es Ihnen?", "fr+f3": "Bonjour, ça va bien?", "cmn": "你好，世界。", "ru": "Добрый день.", "hi": "नमस्ते दुनिया।",
	} {
		e := engine(t, func(c *Config) { c.Language = language })
		got := ttstest.Collect(t, e, t.Context(), ttstest.Text(text))
		if got.Err != nil || got.Duration() < 400*time.Millisecond || got.Rate != 24000 {
			t.Errorf("%s: %v at %d Hz, %v", language, got.Duration(), got.Rate, got.Err)
		}
	}
}

func TestSoundBeginsAtOnce(t *testing.T) {
	got := ttstest.Collect(t, engine(t, nil), t.Context(), ttstest.Text("Good morning."))
	first := slices.IndexFunc(got.PCM, func(x int16) bool { return x >= silence || x <= -silence })
	if d := audio.SamplesToDuration(first, Rate); first < 0 || d > 10*time.Millisecond {
		t.Errorf("%v of silence at the start", d)
	}
}

func TestTextIsNeitherFlagNorScriptNorPhonemes(t *testing.T) {
	dir := t.TempDir()
	e := engine(t, nil)
	for _, s := range []string{"--version", "-w " + dir + "/out.wav hello", "$(touch " + dir + "/out) `touch " + dir + "/out`; touch " + dir + "/out"} {
		got := ttstest.Collect(t, e, t.Context(), ttstest.Text(s))
		if got.Err != nil || got.Duration() < 300*time.Millisecond {
			t.Errorf("%q: %v of audio, %v", s, got.Duration(), got.Err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("files %v, %v", files, err)
	}
	if s := readable("[[h@'loU]]\x00\x1b"); strings.ContainsAny(s, "[]\x00\x1b") {
		t.Errorf("readable gave %q", s)
	}
}

func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name, script, text string
		kind               fault.Kind
		part               string
	}{
		{"status", "cat >/dev/null; echo no memory >&2; exit 3", "", fault.Failed, "status 3"},
		{"status after audio", "cat >/dev/null; espeak-ng --stdout hello; exit 1", "", fault.Failed, "status 1"},
		{"no such voice", "echo 'Error: The specified espeak-ng voice does not exist.' >&2; exit 1", "", fault.Misconfigured, "en-us"},
		{"not audio", "echo these are words, not audio", "", fault.Failed, "another format"},
		{"killed", "kill -9 $$", "", fault.Failed, ""},
		{"too much", "espeak-ng --stdout hello; cat /dev/zero", "", fault.Failed, "goes on"},
		{"big error", "head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", "", fault.Failed, "status 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, _ := fake(t, tt.script)
			got := ttstest.Collect(t, e, t.Context(), ttstest.Text("hello"))
			if fault.KindOf(got.Err) != tt.kind || !strings.Contains(got.Err.Error(), tt.part) {
				t.Errorf("error %v", got.Err)
			}
		})
	}
}

func TestTheProcessIsGoneWhenTheStreamHasEnded(t *testing.T) {
	for name, script := range map[string]string{
		"silent":          "exec sleep 1000",
		"speaking":        "exec cat /dev/zero",
		"ignores signals": "trap '' TERM INT HUP; while :; do sleep 1000; done",
		"closed":          "exec >&-; exec sleep 1000",
	} {
		t.Run(name, func(t *testing.T) {
			e, dir := fake(t, script)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range e.Speak(ctx, ttstest.Text("hello")) {
				}
			}()
			pid := awaitPID(t, filepath.Join(dir, "pid"))
			start := time.Now()
			cancel()
			<-done
			t.Logf("ended after %v", time.Since(start))
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d is still there: %v", pid, err)
			}
		})
	}
}

func awaitPID(t *testing.T, file string) int {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 30000 {
		data, _ := os.ReadFile(file)
		if pid, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil {
			return pid
		}
		<-tick.C
	}
	t.Fatal("the process never started")
	return 0
}

func TestEnvironmentHoldsNoSecrets(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "canary")
	for _, v := range environment() {
		if strings.Contains(v, "canary") {
			t.Errorf("the child gets %s", v)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Command = "" },
		func(c *Config) { c.Command = "no-such-program-here" },
		func(c *Config) { c.Language = "-w/tmp/x" },
		func(c *Config) { c.Language = "../../etc" },
		func(c *Config) { c.WordsPerMinute = 0 },
		func(c *Config) { c.Pitch = 100 },
		func(c *Config) { c.Language = "xx-none" },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		if _, err := exec.LookPath("espeak-ng"); err != nil && cfg.Language == "xx-none" {
			continue
		}
		if err := Check(cfg); fault.KindOf(err) != fault.Misconfigured {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	_, err := New(Config{Command: "no-such-program-here", Language: "en", WordsPerMinute: 175}, nil)
	if !strings.Contains(fmt.Sprint(err), "apt-get install espeak-ng") {
		t.Errorf("error %v does not say what to install", err)
	}
}

func TestCheck(t *testing.T) {
	engine(t, nil)
	if err := Check(DefaultConfig()); err != nil {
		t.Error(err)
	}
}

func BenchmarkFirstAudio(b *testing.B) {
	e := engine(b, nil)
	for b.Loop() {
		for _, err := range e.Speak(b.Context(), ttstest.Text("The weather in London is fine today,")) {
			if err != nil {
				b.Fatal(err)
			}
			break
		}
	}
}
