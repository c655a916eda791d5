package clause

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// cut pushes text in pieces of n runes.
func cut(text string, n int) []string {
	var c Cutter
	var out []string
	for len(text) > 0 {
		i, k := 0, 0
		for i < len(text) && k < n {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			k++
		}
		out = append(out, c.Push(text[:i])...)
		text = text[i:]
	}
	if rest := c.Flush(); rest != "" {
		out = append(out, rest)
	}
	return out
}

func TestClauses(t *testing.T) {
	tests := []struct{ name, text string }{
		{"one short sentence", "Hello."},
		{"comma", "Good morning to you,| how can I help you today?"},
		{"short start goes on", "Yes, I can do that for you.| What would you like me to start with?"},
		{"semicolon", "It is raining now;| take an umbrella with you when you go out."},
		{"em dash", "The answer is short—|it depends on what you want to do with it."},
		{"hyphen between spaces", "The answer is short - |it depends on what you want to do with it."},
		{"compound word", "A well-known state-of-the-art thing."},
		{"decimal", "Pi is about 3.14159 and e is 2.71828.| Both of them are irrational numbers."},
		{"thousands", "It costs 1,000,000 dollars.| That is more than most people have."},
		{"time", "It is 10:30 right now.| The next train leaves in a few minutes."},
		{"title", "Good day Mr. Smith and Dr. Jones.| Please come in and take a seat."},
		{"latin", "Try a fruit,| e.g. an apple, i.e. something sweet, such as a pear."},
		{"country", "He moved to the U.S. in May.| She stayed where she had always lived."},
		{"half day", "We open at 9 a.m. and close at 5 p.m. daily."},
		{"initials", "It was J. R. R. Tolkien.| He wrote a good many very long books."},
		{"number sign", "That is house No. 5 here.| The one next to it is number seven."},
		{"refusal", "I would say no. |That is a bad idea and you should not do it."},
		{"month", "It was Dec. 24 that day.| Everybody had gone home by noon."},
		{"address", "See https://example.com/a?b=c.d,e and www.example.org.| Both have what you are looking for."},
		{"mail", "Write to joe.bloggs@example.co.uk today.| He will answer as soon as he can."},
		{"ellipsis", "Well... let me think... |it may take me quite a while to find out."},
		{"quote", "He said \"stop it now.\"| Then he left the room without a word."},
		{"exclamations", "That is great news!!!| I am very happy for the two of you."},
		{"question and exclamation", "Are you serious?!| I would never have thought that of you."},
		{"list", "Here is the list:\n|1. Take a large bowl\n2. Add the flour\n|3. Stir it for a while\n"},
		{"bullets", "You will need:\n|- a loaf of fresh bread\n|- a pound of butter\n- cheese"},
		{"no punctuation", "I think we should first look at the old house |in the village over there"},
		{"no connector", "one two three four five six seven eight nine ten eleven twelve |thirteen fourteen"},
		{"number and unit stay", "one two three four five six seven eight nine ten eleven 12 kilometres |from here"},
		{"later comma waits", "This is the start.| Later on, a comma, such as this, does not end it, |as each clause gives the voice time to do well with a longer one."},
		{"chinese", "你好，我是你的助手。|今天天气很好，我们可以出去走走，看看公园里的花。|你觉得怎么样？"},
		{"japanese quote", "彼は「行きます。」|と言いました。"},
		{"code stays whole", "Use this:\n|```go\nx := 1. + 2\n\nfmt.Println(x); return. Now\n```\n|That is all there is to it."},
		{"text before code", "Try it\n|```\na. b. c.\n```\n"},
		{"hindi", "यह एक अच्छा दिन है।| हम बाहर जा सकते हैं।"},
		{"enumeration mid-line", "We have version 5.| It is good. The one before was not as good."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := strings.Split(tt.text, "|")
			// Clauses keep the space after them; the table puts it before, where it reads better.
			text := strings.ReplaceAll(tt.text, "|", "")
			for _, n := range []int{1, 3, 1000} {
				got := cut(text, n)
				if !slices.EqualFunc(got, want, func(a, b string) bool {
					return strings.TrimSpace(a) == strings.TrimSpace(b)
				}) {
					t.Errorf("in pieces of %d runes: %q, want %q", n, got, want)
				}
			}
		})
	}
}

func TestFirstClauseIsReadyAtTheNextRune(t *testing.T) {
	var c Cutter
	if got := c.Push("The weather is fine."); got != nil {
		t.Fatalf("cut at the end of the buffer: %q", got)
	}
	if got := c.Push(" "); !slices.Equal(got, []string{"The weather is fine. "}) {
		t.Fatalf("got %q", got)
	}
	if got := c.Push("It is 3."); got != nil {
		t.Fatalf("cut in a decimal: %q", got)
	}
	if got := c.Push("5 degrees."); got != nil {
		t.Fatalf("cut in a decimal: %q", got)
	}
	if got := c.Flush(); got != "It is 3.5 degrees." {
		t.Fatalf("got %q", got)
	}
	if got := c.Flush(); got != "" {
		t.Fatalf("a second Flush gave %q", got)
	}
}

func TestFlushStartsAfresh(t *testing.T) {
	var c Cutter
	for range 3 {
		got := c.Push("Good morning everyone, this is only a small test. ")
		if len(got) != 2 || got[0] != "Good morning everyone, " {
			t.Fatalf("got %q", got)
		}
		if rest := c.Flush(); rest != "" {
			t.Fatalf("rest %q", rest)
		}
	}
}

func TestRunesSplitBetweenDeltas(t *testing.T) {
	text := "Schöne Grüße aus Köln, und dazu ein 😀. 你好，我是你的助手。今天天气很好。"
	want := cut(text, 1<<20)
	var c Cutter
	var got []string
	for i := range len(text) {
		got = append(got, c.Push(text[i:i+1])...)
	}
	if rest := c.Flush(); rest != "" {
		got = append(got, rest)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLongTextWithoutPunctuation(t *testing.T) {
	for name, text := range map[string]string{
		"words":   strings.Repeat("word ", 500),
		"letters": strings.Repeat("x", 5000),
		"chinese": strings.Repeat("天", 1000),
		"commas":  strings.Repeat("word, ", 500),
	} {
		got := cut(text, 7)
		for i, s := range got {
			if n := utf8.RuneCountInString(s); n > 400 {
				t.Errorf("%s: clause %d has %d runes", name, i, n)
			}
		}
		if strings.TrimSpace(strings.Join(got, "")) != strings.TrimSpace(text) {
			t.Errorf("%s: text lost", name)
		}
	}
}

// fragments are the stuff replies are made of, awkward ones above all.
var fragments = []string{
	"Hello", "world", " ", " ", " ", ". ", ", ", "! ", "? ", "3.14", "1,000", "10:30", "Mr. ", "e.g. ", "U.S. ", "a.m. ", "No. ", "5",
	"https://example.com/x?y=1", "me@example.com", "...", "…", "—", " - ", "\n", "\n\n", "1. ", "- ", "```\n", "```go\n", "**", "\"", "(", ")",
	"你好", "，", "。", "」", "😀", "é", "\u200b", "\xff", "\xe4\xbd", "สวัสดี ", "and ", "the ",
}

func genText(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(fragments), 0, 120).Draw(t, "fragments"), "")
}

func TestNothingIsLostHoweverTheTextIsSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := genText(t)
		whole := cut(text, 1<<20)
		var c Cutter
		var got []string
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "delta")
			n = min(n, 1+rapid.IntRange(0, 12).Draw(t, "cap"))
			got = append(got, c.Push(rest[:n])...)
			rest = rest[n:]
		}
		if rest := c.Flush(); rest != "" {
			got = append(got, rest)
		}
		check(t, text, got)
		if !slices.Equal(got, whole) {
			t.Fatalf("clauses depend on the deltas:\n%q\n%q", got, whole)
		}
	})
}

// check holds the invariants every cut has.
func check(t interface{ Fatalf(string, ...any) }, text string, got []string) {
	joined := strings.Join(got, "")
	if joined != text && (!strings.HasPrefix(text, joined) || strings.TrimSpace(text[len(joined):]) != "") {
		t.Fatalf("joined %q, pushed %q", joined, text)
	}
	for i, s := range got {
		if strings.TrimSpace(s) == "" {
			t.Fatalf("clause %d is blank: %q", i, got)
		}
		if i == 0 {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(got[i-1])
		after, _ := utf8.DecodeRuneInString(s)
		if unicode.IsDigit(after) && strings.ContainsRune(".,:", before) {
			t.Fatalf("a number was cut: %q | %q", got[i-1], s)
		}
	}
}

func FuzzCutter(f *testing.F) {
	f.Add("Hello, world. It is 3.14 o'clock.", 3)
	f.Add(strings.Join(fragments, ""), 1)
	f.Add("```\n"+strings.Repeat("a\n", 100), 5)
	f.Fuzz(func(t *testing.T, text string, n int) {
		got := cut(text, max(1, n%64))
		check(t, text, got)
		if whole := cut(text, 1<<30); !slices.Equal(got, whole) {
			t.Fatalf("clauses depend on the deltas:\n%q\n%q", got, whole)
		}
	})
}

func TestPushAllocatesOnlyClauses(t *testing.T) {
	var c Cutter
	c.Push(strings.Repeat("a", 100)) // let the buffer grow
	c.Flush()
	if n := testing.AllocsPerRun(100, func() {
		c.Push("Hello")
		c.Push(" Mr.")
		c.Push(" Smith")
		c.Push(" at")
		c.Push(" No.")
		c.Push(" 5")
		c.Flush()
	}); n > 1 { // Flush's string
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCutter(b *testing.B) {
	text := strings.Repeat("The weather in London is fine today, about 21.5 degrees at 10:30 a.m. and Mr. Smith is out. ", 20)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var c Cutter
	for b.Loop() {
		for rest := text; rest != ""; {
			n := min(4, len(rest))
			c.Push(rest[:n])
			rest = rest[n:]
		}
		c.Flush()
	}
}
