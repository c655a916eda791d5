package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"parley/audio"
	"parley/loadtest"
)

// beep makes a recording of a tone, which is no speech.
func beep(t *testing.T) string {
	t.Helper()
	tone := make([]int16, audio.SpeechRate/2)
	for i := range tone {
		tone[i] = int16(8000 * math.Sin(2*math.Pi*1000*float64(i)/audio.SpeechRate))
	}
	var b strings.Builder
	if err := audio.WriteWAV(&b, tone, audio.SpeechRate); err != nil {
		t.Fatal(err)
	}
	return file(t, "beep.wav", b.String())
}

// report runs a call with --json and reads its report.
func report(t *testing.T, status int, args ...string) loadtest.Report {
	t.Helper()
	o := parley(t, append([]string{"call", "--json"}, args...)...)
	if o.status != status {
		t.Errorf("the exit status is %d, not %d:\n%s%s", o.status, status, o.stdout, o.stderr)
	}
	var r loadtest.Report
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil { // nothing may follow the document
		t.Fatalf("%v in\n%s", err, o.stdout)
	}
	return r
}

// Whole calls with the embedded engines, in real time. What was said, on both
// sides, and the key must not be in the server's log, which holds everything
// there is to be logged.
func TestCalls(t *testing.T) {
	var log logBook
	url := "http://" + server(t, &log)
	var mu sync.Mutex
	said := []string{canaryKey, "xylophone"}
	keep := func(r loadtest.Report) {
		mu.Lock()
		defer mu.Unlock()
		for _, turn := range r.Turns {
			said = append(said, turn.Transcript, turn.Reply)
		}
	}
	t.Run("all", func(t *testing.T) { // returns when those in it have
		t.Run("spoken", func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "heard")
			r := report(t, 0, "--url", url, "--key", canaryKey, "--audio", "../../testdata/speech/what-time-is-it-1.wav", "--save", dir)
			if r.Answered != 1 || !strings.HasPrefix(r.Turns[0].Transcript, "what time is") || !strings.Contains(r.Turns[0].Reply, "It's ") || r.Turns[0].LatencyMS <= 0 {
				t.Errorf("got %+v", r)
			}
			if info, err := os.Stat(filepath.Join(dir, "answer-01.wav")); err != nil || info.Size() < 10_000 {
				t.Errorf("the answer was not saved: %v", err)
			}
			keep(r)
		})
		t.Run("written", func(t *testing.T) {
			t.Parallel()
			r := report(t, 0, "--url", url+"/#key="+canaryKey, "--pause", "1ms", "--text", "what is twelve times seven", "--text", "spell xylophone")
			if r.Answered != 2 || !strings.Contains(r.Turns[0].Reply, "84") {
				t.Errorf("got %+v", r)
			}
			keep(r)
		})
		t.Run("unanswered", func(t *testing.T) {
			t.Parallel()
			r := report(t, 1, "--url", url, "--key", canaryKey, "--audio", beep(t), "--timeout", "500ms")
			if r.Answered != 0 || r.Unanswered != 1 || r.Error == nil || r.Error.Class != loadtest.Unanswered {
				t.Errorf("got %+v", r)
			}
		})
		t.Run("unanswered for people", func(t *testing.T) {
			t.Parallel()
			parley(t, "call", "--url", url, "--key", canaryKey, "--audio", beep(t), "--timeout", "500ms").want(t, 1, `NO ANSWER`, `parley: 1 of 1 turn went unanswered\.\n$`)
		})
	})
	if len(said) != 8 {
		t.Fatalf("of the calls only %q was kept", said)
	}
	written := strings.ToLower(log.String())
	for _, secret := range said {
		if len(secret) < 8 {
			t.Errorf("%q is too short to look for", secret)
		}
		if i := strings.Index(written, strings.ToLower(secret)); i >= 0 {
			t.Errorf("the log shows %q: …%s…", secret, written[max(0, i-100):min(len(written), i+100)])
		}
	}
	if !strings.Contains(written, "turn ended") {
		t.Error("the log does not speak of turns at all")
	}
}

// No call comes about: status 2 and a sentence, without what only a programmer
// understands; with --json a document says it too.
func TestCallRefused(t *testing.T) {
	t.Setenv("PARLEY_KEY", canaryKey)
	url, dead := "http://"+server(t, &logBook{}), nowhere(t)
	var quiet strings.Builder
	if err := audio.WriteWAV(&quiet, make([]int16, audio.SpeechRate), audio.SpeechRate); err != nil {
		t.Fatal(err)
	}
	hush := file(t, "silence.wav", quiet.String())
	text, empty := file(t, "text.wav", "This is no recording."), file(t, "empty.wav", "")
	for name, test := range map[string]struct {
		args  []string
		class loadtest.Class
		want  string // in the sentence
	}{
		"dead address":    {[]string{"--url", "http://" + dead, "--text", "hello"}, loadtest.Unreachable, dead},
		"wrong key":       {[]string{"--url", url, "--key", "wrong", "--text", "hello"}, loadtest.Unauthorized, "key"},
		"no key":          {[]string{"--url", url, "--key", "", "--text", "hello"}, loadtest.Unauthorized, "key"},
		"wrong key, said": {[]string{"--url", url + "/#key=wrong-canary", "--text", "hello"}, loadtest.Unauthorized, "The key is wrong; "},
		"no key, said":    {[]string{"--url", url, "--key", "", "--text", "hello"}, loadtest.Unauthorized, "This server asks for a key; give it with --key or PARLEY_KEY."},
		"empty message":   {[]string{"--url", url, "--text", ""}, loadtest.BadUsage, "The message is empty."},
		"strange scheme":  {[]string{"--url", "ftp://127.0.0.1", "--text", "hello"}, loadtest.BadUsage, "ftp"},
		"nothing to say":  {[]string{"--url", url}, loadtest.BadUsage, "Nothing to say: name recordings with --audio or messages with --text."},
		"silence":         {[]string{"--url", url, "--audio", hush}, loadtest.BadAudio, "holds only silence"},
		"no recording":    {[]string{"--url", url, "--audio", "missing.wav"}, loadtest.BadAudio, "missing.wav"},
		"text":            {[]string{"--url", url, "--audio", text}, loadtest.BadAudio, text},
		"empty":           {[]string{"--url", url, "--audio", empty}, loadtest.BadAudio, empty},
	} {
		t.Run(name, func(t *testing.T) {
			o := parley(t, append([]string{"call"}, test.args...)...)
			o.want(t, 2, "", `(?m)^parley: .*`+regexp.QuoteMeta(test.want)+`.*$`)
			lines := strings.Split(strings.TrimSpace(o.stderr), "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "parley: ") ||
				regexp.MustCompile(`dial tcp|connect:|websocket:|%!|canary`).MatchString(o.stderr) {
				t.Errorf("no plain sentence:\n%s", o.stderr)
			}
			if r := report(t, 2, test.args...); r.Error == nil || r.Error.Class != test.class || len(r.Turns) != 0 {
				t.Errorf("got %+v, %+v", r, r.Error)
			}
		})
	}
}

// What stands beside the flags is not silently dropped.
func TestNoArguments(t *testing.T) {
	parley(t, "call", "hello").want(t, 2, "", oneLine("parley call takes no arguments; say things with --audio or --text. See 'parley call --help'"))
	parley(t, "serve", "x").want(t, 2, "", oneLine("parley serve takes no arguments; change settings with --config, --listen or --set. See 'parley serve --help'"))
	parley(t, "doctor", "x").want(t, 2, "", oneLine("parley doctor takes no arguments; change settings with --config or --set. See 'parley doctor --help'"))
}
