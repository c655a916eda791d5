package builtin

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/llm"
	"parley/llm/llmtest"
)

var update = flag.Bool("update", false, "write testdata/answers.golden anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon of the tests: Saturday, 14 March 2026, 15:09:26 UTC.
var testTime = time.Date(2026, time.March, 14, 15, 9, 26, 0, time.UTC)

func mustNew(t testing.TB) *Engine {
	t.Helper()
	e, err := New(Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// talk makes a prompt from what was said in turn, the user first.
func talk(said ...string) llm.Prompt {
	p := llm.Prompt{Now: testTime, Language: "en"}
	for i, text := range said {
		role := llm.User
		if (len(said)-i)%2 == 0 {
			role = llm.Assistant
		}
		p.Messages = append(p.Messages, llm.Message{Role: role, Text: text})
	}
	return p
}

func TestConformance(t *testing.T) {
	for _, question := range []string{"", "set a timer for five minutes", "how old is the brooklyn bridge"} {
		llmtest.Suite{New: func(t *testing.T) llm.Model { return mustNew(t) }, Question: question}.Run(t)
	}
}

func readLines(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// Every answer to a few hundred utterances, as a golden file to read over.
func TestAnswers(t *testing.T) {
	const path = "testdata/answers.golden"
	e := mustNew(t)
	var got strings.Builder
	utterances := readLines(t, "testdata/utterances.txt")
	for _, u := range utterances {
		name, a := e.answer(talk(u))
		checkAnswer(t, u, name, a)
		fmt.Fprintf(&got, "%s\n\t[%s] %s\n", u, name, a.text)
		if a.action != nil {
			fmt.Fprintf(&got, "\t%s %s\n", a.action.Name, a.action.Args)
		}
	}
	if len(utterances) < 150 {
		t.Errorf("only %d utterances", len(utterances))
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("%s:%d: got %q, want %q (go test -update writes it anew)", path, i+1, gotLines[i], wantLines[i])
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Errorf("%d lines, want %d", len(gotLines), len(wantLines))
	}
}

var (
	quoted      = regexp.MustCompile(`“[^”]*”`)
	sentenceEnd = regexp.MustCompile(`[.!?]+(\s|$)`)
)

// checkAnswer holds every answer to what all must be: short, spoken, honest.
func checkAnswer(t testing.TB, heard, skill string, a answer) {
	t.Helper()
	bare := quoted.ReplaceAllString(a.text, "this")
	if n := len(sentenceEnd.FindAllString(bare, -1)); n < 1 || n > 2 {
		t.Errorf("%q: %d sentences: %q", heard, n, a.text)
	}
	if len(a.text) > 450 || strings.TrimSpace(a.text) != a.text {
		t.Errorf("%q: bad length or space: %q", heard, a.text)
	}
	if strings.ContainsAny(a.text, "\n\t*_#`<>{}") {
		t.Errorf("%q: not speakable: %q", heard, a.text)
	}
	if skill == "fallback" || skill == "limits" {
		if !strings.Contains(a.text, "I heard: “") {
			t.Errorf("%q: does not say what was heard: %q", heard, a.text)
		}
		if a.action != nil {
			t.Errorf("%q: acts: %+v", heard, a.action)
		}
	}
}

// What was recorded and cannot be answered is repeated, and nothing is claimed.
func TestHonest(t *testing.T) {
	e := mustNew(t)
	tests := map[string]string{
		"turn on the living room lamp":                 "cannot switch lamps",
		"launch firefox":                               "cannot launch",
		"go forward ten meters":                        "cannot move",
		"play some music":                              "cannot play",
		"how old is the brooklyn bridge":               "small built-in assistant",
		"seven of clubs":                               "small built-in assistant",
		"sunday is the best part of the week":          "small built-in assistant",
		"ever tried ever failed no matter try again":   "small built-in assistant",
		"are you an ai":                                "not a language model",
		"ask not what your country can do for you ask": "small built-in assistant",
	}
	for heard, want := range tests {
		if _, a := e.answer(talk(heard)); !strings.Contains(a.text, want) || a.action != nil {
			t.Errorf("%q: got %q", heard, a.text)
		}
	}
}

// What depends on what was said before.
func TestHistory(t *testing.T) {
	e := mustNew(t)
	tests := []struct {
		said []string
		want string
	}{
		{[]string{"two plus two", "2 plus 2 is 4.", "repeat that"}, "2 plus 2 is 4."},
		{[]string{"two plus two", "2 plus 2 is 4.", "what did i say"}, "I heard: “two plus two”."},
		{[]string{"two plus two", "2 plus 2 is 4.", "times three"}, "4 times 3 is 12."},
		{[]string{"two plus two", "2 plus 2 is 4.", "and divided by zero"}, errZero.Error()},
		{[]string{"a", "1,000 times 2 is 2,000.", "plus five"}, "2,000 plus 5 is 2,005."},
		{[]string{"a", "3 divided by 7 is about 0.4286.", "times seven"}, "I heard: “times seven”."},
		{[]string{"set a timer", askDuration, "five minutes"}, "Timer set for 5 minutes."},
		{[]string{"set a timer", askDuration, "uh make it ten minutes please"}, "Timer set for 10 minutes."},
		{[]string{"set a timer", "For how long should", "five minutes"}, "Timer set for 5 minutes."},
		{[]string{"hello", "Hello!", "five minutes"}, "I heard: “five minutes”."},
		{[]string{"set a timer for one minute", "Timer set for 1 minute.", "cancel that"}, "All timers are cancelled."},
		{[]string{"hello", "Hello!", "cancel that"}, ""},
		{[]string{"a joke", jokes[0], "another one"}, ""},
	}
	for _, test := range tests {
		_, a := e.answer(talk(test.said...))
		if !strings.HasPrefix(a.text, test.want) {
			t.Errorf("%q: got %q, want %q", test.said, a.text, test.want)
		}
	}
	if _, a := e.answer(talk("hello", "Hello!", "cancel that")); a.action != nil {
		t.Error("cancelled timers that nobody spoke of")
	}
}

// No joke comes twice in a call while there is another.
func TestJokesDoNotRepeat(t *testing.T) {
	e := mustNew(t)
	var said []string
	heard := map[string]bool{}
	for range jokes {
		said = append(said, "tell me a joke")
		_, a := e.answer(talk(said...))
		if heard[a.text] {
			t.Fatalf("told twice: %q", a.text)
		}
		heard[a.text] = true
		said = append(said, a.text)
	}
}

// The same prompt gets the same answer; the next one in a call may differ.
func TestDeterministic(t *testing.T) {
	e := mustNew(t)
	seen := map[string]bool{}
	for i := range 40 {
		p := talk("flip a coin")
		p.Now = testTime.Add(time.Duration(i) * time.Second)
		_, a := e.answer(p)
		if _, again := e.answer(p); a.text != again.text {
			t.Fatalf("got %q, then %q", a.text, again.text)
		}
		seen[a.text] = true
	}
	if len(seen) != 2 {
		t.Errorf("in 40 flips: %v", seen)
	}
}

// The answer comes word by word, the action after the first.
func TestDeltas(t *testing.T) {
	var texts []string
	var at int
	var args llm.TimerArgs
	for d, err := range mustNew(t).Reply(t.Context(), talk("set an egg timer for four minutes")) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Action != nil {
			at = len(texts)
			if err := json.Unmarshal(d.Action.Args, &args); err != nil {
				t.Fatal(err)
			}
			continue
		}
		texts = append(texts, d.Text)
	}
	if got := strings.Join(texts, ""); got != "Egg timer set for 4 minutes." || len(texts) != 6 {
		t.Errorf("got %q", texts)
	}
	if at != 1 || args != (llm.TimerArgs{Seconds: 240, Label: "egg"}) {
		t.Errorf("action %+v after %d words", args, at)
	}
}

func TestWithoutClockOrWords(t *testing.T) {
	e := mustNew(t)
	for _, u := range []string{"what time is it", "what day is it", "how many days until christmas", "what time is it in tokyo"} {
		p := talk(u)
		p.Now = time.Time{}
		if _, a := e.answer(p); a.text != noClock {
			t.Errorf("%q: got %q", u, a.text)
		}
	}
	if name, _ := e.answer(llm.Prompt{}); name != "silence" {
		t.Errorf("empty prompt: %s", name)
	}
	if err := e.Check(context.Background()); err != nil || (Config{}).Validate() != nil {
		t.Error(err)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, u := range readLines(f, "testdata/utterances.txt") {
		f.Add(u, "Timer set for 5 minutes.", int64(1e9))
	}
	f.Add("((((((((((((((((((((((((((((((1", "", int64(0))
	f.Add("minus minus minus square root of square root of 2 to the power of 9999999999999999999", "x is 5.", int64(-1))
	e, err := New(Config{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, heard, last string, now int64) {
		p := talk("hello", last, heard)
		p.Now = time.Unix(now%1e11, 0).UTC()
		name, a := e.answer(p)
		if a.text == "" {
			t.Errorf("%s: no answer", name)
		}
		if a.action != nil && a.action.Name == llm.ActionSetTimer {
			var args llm.TimerArgs
			if err := json.Unmarshal(a.action.Args, &args); err != nil || args.Seconds < 1 || args.Seconds > maxTimer.Seconds() {
				t.Errorf("timer %s: %v", a.action.Args, err)
			}
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	e := mustNew(b)
	for name, text := range map[string]string{
		"known":   "what time is it",
		"unknown": "how old is the brooklyn bridge",
		"long":    strings.Repeat("a word and five ", 100),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.answer(talk(text))
			}
		})
	}
}
