package openai

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	api "github.com/sashabaranov/go-openai"
	"pgregory.net/rapid"

	"parley/llm"
)

func filterAll(pieces []string) string {
	var f thinkFilter
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(f.write(p))
	}
	b.WriteString(f.flush())
	return b.String()
}

func TestThinkFilter(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Hello.", "Hello."},
		{"\n Hello. ", "Hello. "},
		{"<think>hm</think>\n\nHello.", "Hello."},
		{"<think>hm", ""},
		{"a <think>x</think>b<think>y</think> c", "a b c"},
		{"<think><think></think>Hi", "Hi"},
		{"3 < 4 and <thin", "3 < 4 and <thin"},
		{"<<think>x</think>", "<"},
		{"<think>a</thinkb</think>c", "c"},
		{"</think>", "</think>"},
		{"", ""},
	}
	for _, test := range tests {
		if got := filterAll([]string{test.in}); got != test.want {
			t.Errorf("%q: got %q, want %q", test.in, got, test.want)
		}
		if got := filterAll(strings.Split(test.in, "")); got != test.want {
			t.Errorf("%q by letters: got %q, want %q", test.in, got, test.want)
		}
	}
}

// However a text is cut, the same comes out.
func TestThinkFilterCuts(t *testing.T) {
	part := rapid.SampledFrom([]string{"<think>", "</think>", "<", ">", "/", "think", "é", " ", "a", "<thi"})
	rapid.Check(t, func(rt *rapid.T) {
		pieces := rapid.SliceOfN(part, 0, 12).Draw(rt, "text")
		text := strings.Join(pieces, "")
		cut := rapid.IntRange(0, len(text)).Draw(rt, "cut")
		whole := filterAll([]string{text})
		for _, cuts := range [][]string{pieces, {text[:cut], text[cut:]}} {
			if got := filterAll(cuts); got != whole {
				rt.Fatalf("%q: got %q, whole %q", cuts, got, whole)
			}
		}
	})
}

func TestMessages(t *testing.T) {
	cfg := DefaultConfig()
	p := llm.Prompt{
		Instructions: "Be brief.", Language: "de",
		Now: time.Date(2026, 2, 3, 15, 20, 0, 0, time.UTC),
		Messages: []llm.Message{
			{Role: llm.Assistant, Text: "Hallo!"}, {Role: llm.User, Text: "eins"}, {Role: llm.Assistant, Text: " "},
			{Role: llm.User, Text: "zwei"}, {Role: llm.Assistant, Text: "Ja."}, {Role: llm.User, Text: "drei"},
		},
	}
	got := messages(p, cfg)
	want := []string{"system", "user eins\nzwei", "assistant Ja.", "user drei\n\n[Tuesday, 3 February 2026, 15:20]"}
	if len(got) != len(want) {
		t.Fatalf("got %d messages", len(got))
	}
	for i, m := range got[1:] {
		if s := m.Role + " " + m.Content; s != want[i+1] {
			t.Errorf("%d: got %q, want %q", i+1, s, want[i+1])
		}
	}
	for _, part := range []string{"Be brief.", "is de.", "saying: Hallo!", clockNote} {
		if !strings.Contains(got[0].Content, part) {
			t.Errorf("system: %q lacks %q", got[0].Content, part)
		}
	}
	// All but the last two stays the same when the call goes on.
	p.Messages = append(p.Messages, llm.Message{Role: llm.Assistant, Text: "Gut."}, llm.Message{Role: llm.User, Text: "vier"})
	p.Now = p.Now.Add(time.Minute)
	for i, m := range messages(p, cfg)[:len(got)-1] {
		if m.Content != got[i].Content {
			t.Errorf("%d changed: %q", i, m.Content)
		}
	}
	cfg.TellsTime = false
	if got := messages(llm.Prompt{Now: p.Now, Messages: p.Messages[1:2]}, cfg); len(got) != 1 || got[0].Content != "eins" {
		t.Errorf("bare: got %+v", got)
	}
}

func TestTrim(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(rt, "messages")
		limit := rapid.IntRange(2, 60).Draw(rt, "limit")
		chars := rapid.IntRange(100, 3000).Draw(rt, "chars")
		in := make([]llm.Message, n)
		for i := range in {
			in[i] = llm.Message{Role: llm.User, Text: fmt.Sprintf("%d %s", i, strings.Repeat("é", rapid.IntRange(0, 100).Draw(rt, "length")))}
			if i%2 == 1 {
				in[i].Role = llm.Assistant
			}
		}
		out := trim(in, limit, chars)
		last := out[len(out)-1]
		if len(out) == 0 || len(out) > limit || out[0].Role != llm.User || !strings.HasPrefix(last.Text, fmt.Sprint(n-1, " ")) {
			rt.Fatalf("of %d, limit %d: %d messages from %v", n, limit, len(out), out[0])
		}
		if size(out) > 2*chars || len(out) > 2 && size(out) > chars {
			rt.Fatalf("%d bytes in %d messages, limit %d", size(out), len(out), chars)
		}
	})
	if got := trim(nil, 10, 100); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// Over a long call the beginning of what is sent changes rarely.
func TestTrimKeepsPrefix(t *testing.T) {
	var history []llm.Message
	changes, begin := 0, ""
	for i := range 200 {
		history = append(history, llm.Message{Role: llm.User, Text: fmt.Sprint("u", i)})
		if first := trim(history, 40, 1e6)[0].Text; first != begin {
			begin = first
			changes++
		}
		history = append(history, llm.Message{Role: llm.Assistant, Text: fmt.Sprint("a", i)})
	}
	if changes > 20 {
		t.Errorf("the beginning changed %d times in 200 turns", changes)
	}
}

func ptr[T any](v T) *T { return &v }

func fragment(index int, id, name, args string) api.ToolCall {
	return api.ToolCall{Index: ptr(index), ID: id, Function: api.FunctionCall{Name: name, Arguments: args}}
}

func TestToolCalls(t *testing.T) {
	whole := func(name, args string) []api.ToolCall { return []api.ToolCall{fragment(0, "1", name, args)} }
	tests := map[string]struct {
		in      []api.ToolCall
		spoken  bool
		text    string
		actions string
	}{
		"none":       {nil, false, "", ""},
		"timer":      {whole("set_timer", `{"seconds":300}`), false, "Timer set for 5 minutes.", `set_timer{"seconds":300}`},
		"label":      {whole("set_timer", `{"seconds":3661,"label":"Egg  Timer"}`), false, "Timer set for 1 hour 1 minute 1 second.", `set_timer{"seconds":3661,"label":"egg"}`},
		"spoken":     {whole("set_timer", `{"seconds":300}`), true, "", `set_timer{"seconds":300}`},
		"string":     {whole("set_timer", `{"seconds":" 90 "}`), false, "Timer set for 1 minute 30 seconds.", `set_timer{"seconds":90}`},
		"cancel":     {whole("cancel_timers", ``), false, "Timers cancelled.", `cancel_timers`},
		"fragments":  {[]api.ToolCall{fragment(0, "1", "set_timer", ""), fragment(0, "", "", `{"sec`), fragment(0, "", "", `onds":60}`)}, false, "Timer set for 1 minute.", `set_timer{"seconds":60}`},
		"two":        {[]api.ToolCall{fragment(0, "1", "cancel_timers", "{}"), fragment(1, "2", "set_timer", `{"seconds":1}`)}, false, "Timers cancelled. Timer set for 1 second.", `cancel_timers set_timer{"seconds":1}`},
		"unnumbered": {[]api.ToolCall{{ID: "a", Function: api.FunctionCall{Name: "cancel_timers"}}, {ID: "b", Function: api.FunctionCall{Name: "cancel_timers"}}}, false, "Timers cancelled. Timers cancelled.", `cancel_timers cancel_timers`},
		"unknown":    {whole("launch_missiles", "{}"), false, "Sorry, I cannot do that.", ""},
		"no JSON":    {whole("set_timer", `{"seconds":`), false, "I could not set that timer. Please tell me again how long it should run.", ""},
		"too long":   {whole("set_timer", `{"seconds":1e9}`), true, " I could not set that timer. Please tell me again how long it should run.", ""},
		"negative":   {whole("set_timer", `{"seconds":-5}`), true, " I could not set that timer. Please tell me again how long it should run.", ""},
		"NaN":        {whole("set_timer", `{"seconds":"NaN"}`), true, " I could not set that timer. Please tell me again how long it should run.", ""},
		"a list":     {whole("set_timer", `{"seconds":[1]}`), true, " I could not set that timer. Please tell me again how long it should run.", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var calls toolCalls
			for _, f := range test.in {
				calls.add([]api.ToolCall{f})
			}
			var text string
			var actions []string
			for _, d := range calls.result(test.spoken) {
				text += d.Text
				if d.Action != nil {
					actions = append(actions, d.Action.Name+string(d.Action.Args))
				}
			}
			if text != test.text || strings.Join(actions, " ") != test.actions {
				t.Errorf("got %q, %q", text, actions)
			}
		})
	}
}

func TestToolCallsAreBounded(t *testing.T) {
	var calls toolCalls
	for i := range 1000 {
		calls.add([]api.ToolCall{fragment(i, fmt.Sprint(i), strings.Repeat("x", 100), strings.Repeat("y", 100_000))})
		calls.add([]api.ToolCall{fragment(0, "", "n", "y")})
	}
	if len(calls.calls) != maxToolCalls || len(calls.calls[0].args) > maxToolArgs || len(calls.calls[0].name) > 64 {
		t.Errorf("kept %d calls, %d bytes", len(calls.calls), len(calls.calls[0].args))
	}
	for _, tool := range tools() {
		if data, err := json.Marshal(tool); err != nil || !json.Valid(data) {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestRequest(t *testing.T) {
	cfg := DefaultConfig()
	cfg.BaseURL = "http://127.0.0.1:1/v1"
	cfg.Temperature = ptr(0.0)
	local := &Engine{cfg: cfg}
	cfg.BaseURL = ""
	cloud := &Engine{cfg: cfg}
	if r := local.request(question("x"), "m", true); r.MaxTokens != 800 || r.MaxCompletionTokens != 0 || len(r.Tools) != 2 || r.Temperature <= 0 || r.Temperature > 1e-30 {
		t.Errorf("local: %+v", r)
	}
	p := question("x")
	p.MaxTokens, p.Temperature = 9, ptr(0.5)
	if r := cloud.request(p, "m", false); r.MaxTokens != 0 || r.MaxCompletionTokens != 9 || len(r.Tools) != 0 || r.Temperature != 0.5 {
		t.Errorf("cloud: %+v", r)
	}
}
