package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"parley/app"
)

const canaryKey = "canary-key-0123456789"

// TestMain shuts out what the machine has, its Ollama, its keys and its data,
// and lets the test binary be parley itself where it is started by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "parley" {
		main()
	}
	dir, err := os.MkdirTemp("", "parley-cmd")
	for _, pair := range append(os.Environ(), "OPENAI_API_KEY=", "OPENAI_BASE_URL=") {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "PARLEY_") || strings.HasPrefix(name, "OPENAI_") {
			os.Unsetenv(name)
		}
	}
	models, failed := filepath.Abs("../../models")
	if err != nil || failed != nil || os.Setenv("OLLAMA_HOST", "127.0.0.1:1") != nil || os.Setenv("XDG_DATA_HOME", dir) != nil ||
		os.Setenv("PARLEY_MODELS", models) != nil {
		fmt.Println("the environment cannot be prepared:", err, failed)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// outcome is what a command did.
type outcome struct {
	status         int
	stdout, stderr string
}

// parley runs a command line in this process.
func parley(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr logBook
	status := run(t.Context(), args, &stdout, &stderr)
	return outcome{status, stdout.String(), stderr.String()}
}

// want checks the status, and that the outputs match the patterns; an empty
// pattern wants nothing at all.
func (o outcome) want(t *testing.T, status int, stdout, stderr string) {
	t.Helper()
	if o.status != status {
		t.Errorf("the exit status is %d, not %d", o.status, status)
	}
	for _, out := range []struct{ name, got, pattern string }{{"stdout", o.stdout, stdout}, {"stderr", o.stderr, stderr}} {
		if out.pattern == "" && out.got != "" || !regexp.MustCompile(out.pattern).MatchString(out.got) {
			t.Errorf("%s:\n%s\nwant %s", out.name, out.got, out.pattern)
		}
	}
}

// oneLine is the pattern of exactly this complaint.
func oneLine(text string) string { return `^parley: ` + regexp.QuoteMeta(text) + `\n$` }

// logBook may be read while it is written.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// server runs parley with the embedded engines until the test is over, and
// returns its host:port. Whoever calls it must show the canary.
func server(t *testing.T, log *logBook) string {
	t.Helper()
	cfg := app.DefaultConfig()
	cfg.Listen, cfg.Media.UDPAddress, cfg.Media.TCPAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	cfg.Key, cfg.Data, cfg.Models = canaryKey, t.TempDir(), os.Getenv("PARLEY_MODELS")
	ready, over := make(chan app.Running, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(over)
		over <- app.Serve(ctx, cfg, app.Options{
			Version: "test", Ready: func(r app.Running) { ready <- r },
			Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	select {
	case r := <-ready:
		return strings.TrimPrefix(r.URL, "http://")
	case err := <-over:
		t.Fatalf("the server did not start: %v", err)
		return ""
	}
}

// nowhere is an address where nothing answers.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// file puts content into a file of that name.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each command explains itself on stdout. Help is pasted into bug reports: it
// shows no key.
func TestHelp(t *testing.T) {
	t.Setenv("PARLEY_KEY", canaryKey)
	for args, want := range map[string]string{
		"":              `parley serve +start the server`,
		"--help":        `(?s)Available Commands:.*  call .*  doctor .*  serve `,
		"help":          `Available Commands:`,
		"serve --help":  `(?s)PARLEY_STT_ENGINE for stt\.engine.*  parley serve --print-config > parley\.yaml.*--listen`,
		"call --help":   `(?s)Exits with 0 when every turn was answered, 1 when one was not, and 2 when no\ncall came about.*--push-to-talk`,
		"doctor --help": `(?s)Exits with 1.*--json`,
		"help call":     `--audio`,
		"--version":     `^parley version dev\n$`,
	} {
		t.Run(args, func(t *testing.T) {
			o := parley(t, strings.Fields(args)...)
			o.want(t, 0, want, "")
			if strings.Contains(o.stdout, "canary") {
				t.Errorf("the key is shown:\n%s", o.stdout)
			}
		})
	}
}

// A mistake on the command line, or in what it names, is one line on stderr and
// status 2.
func TestMistakes(t *testing.T) {
	typo := file(t, "typo.yml", "sst:\n  engine: openai\n")
	for args, want := range map[string]string{
		"bogus":                               `unknown command "bogus" for "parley"`,
		"serve here":                          "parley serve takes no arguments; change settings with --config, --listen or --set. See 'parley serve --help'",
		"serve --lissten 127.0.0.1:0":         `unknown flag: --lissten`,
		"call --pause":                        `flag needs an argument: --pause`,
		"doctor --jsonn":                      `unknown flag: --jsonn`,
		"serve --set stt.engine":              `--set stt.engine: write it as name=value`,
		"serve --set swing=low":               `command line: there is no setting "swing"; 'parley serve --print-config' shows all of them`,
		"doctor --set session.silence=500":    `command line: session.silence: "500" is not a duration with its unit, such as 500ms or 30s`,
		"serve --listen here":                 `listen: "here" is not host:port`,
		"serve --config missing.yml":          `configuration file missing.yml does not exist`,
		"doctor --config " + typo:             `configuration file ` + typo + `: there is no setting "sst"; did you mean "stt"?`,
		"serve --print-config --set key=a=b=": ``,
	} {
		t.Run(args, func(t *testing.T) {
			if want == "" { // only the first sign parts the name from the value
				parley(t, strings.Fields(args)...).want(t, 0, `key: '\[redacted\]'`, "")
				return
			}
			parley(t, strings.Fields(args)...).want(t, 2, "", oneLine(want))
		})
	}
	parley(t, "call", "--pause", "soon").want(t, 2, "", `^parley: invalid argument "soon" for "--pause" flag: .*\n$`)
	t.Setenv("PARLEY_STTENGINE", "openai")
	parley(t, "serve").want(t, 2, "", oneLine(`environment variable PARLEY_STTENGINE is no setting of parley; did you mean "PARLEY_STT_ENGINE"?`))
}

// What is printed loads again and is the same; flags outweigh the environment,
// which outweighs the file; secrets are not shown, whatever way they came.
func TestPrintConfig(t *testing.T) {
	first := parley(t, "serve", "--print-config")
	first.want(t, 0, `(?m)^listen: 127\.0\.0\.1:8080$`, "")
	parley(t, "serve", "--print-config", "--config", file(t, "printed.yml", first.stdout)).want(t, 0, "^"+regexp.QuoteMeta(first.stdout)+"$", "")

	own := file(t, "own.yml", "listen: 127.0.0.1:1\nsession: {silence: 300ms}\nstt: {openai: {base_url: 'http://127.0.0.1:1/v1'}}\ntts: {engine: scripted}\n")
	t.Setenv("PARLEY_STT_OPENAI_BASE_URL", "http://127.0.0.1:2/v1")
	t.Setenv("PARLEY_TTS_ENGINE", "espeak")
	parley(t, "serve", "--print-config", "-c", own, "-l", "127.0.0.1:3", "--set", "tts.engine=flite", "--set", "tts.flite.speed=1.2").want(t, 0,
		`(?s)listen: 127\.0\.0\.1:3\n.*silence: 300ms\n.*base_url: http://127\.0\.0\.1:2/v1\n.*tts:\n  engine: flite\n.*speed: 1\.2\n`, "")

	t.Setenv("PARLEY_KEY", canaryKey)
	t.Setenv("PARLEY_STT_OPENAI_API_KEY", canaryKey)
	o := parley(t, "serve", "--print-config", "--set", "llm.openai.api_key="+canaryKey,
		"--set", "signaling.ice_servers=[{urls: 'turn:a', username: u, credential: "+canaryKey+"}]")
	o.want(t, 0, `\[redacted\]`, "")
	if strings.Contains(o.stdout, "canary") || strings.Count(o.stdout, "[redacted]") != 4 {
		t.Errorf("secrets are shown, or not even hinted at:\n%s", o.stdout)
	}
	printed := file(t, "secrets.yml", o.stdout)
	parley(t, "serve", "--config", printed).want(t, 2, "",
		oneLine("configuration file "+printed+": key: a key was given as [redacted], the placeholder of a printed configuration"))
}
