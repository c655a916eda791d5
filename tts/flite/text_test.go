package flite

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley/tts"
)

func TestTokenize(t *testing.T) {
	for in, want := range map[string]string{
		"Hello, world.":         "Hello, world.",
		"café Ñandú Straße Œ":   "cafe Nandu Strasse oe",
		"it’s “so”":             "it's so",
		"你好":                    "",
		"ok 你好。 go":             "ok. go",
		"wait ... what , now":   "wait. what, now",
		"😀 - *":                 "",
		"a\x00b\x7f":            "ab",
		"5 % & 6":               "5 % & 6",
		strings.Repeat("x", 45): strings.Repeat("x", 40) + " xxxxx",
	} {
		if got := join(tokenize(in)); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestPieceLen(t *testing.T) {
	words := func(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }
	for _, tt := range []struct {
		text string
		want []int
	}{
		{"hello", []int{1}},
		{words(12), []int{12}},
		{words(40), []int{16, 16, 8}},
		{words(11) + ", " + words(8), []int{11, 8}},
		{words(5) + ", " + words(6) + ". " + words(3), []int{11, 3}},
		{words(12) + ", ok", []int{13}}, // too little would be left
		{words(11) + " because " + words(8), []int{11, 9}},
		{words(11) + " because " + words(2) + ", " + words(8), []int{14, 8}},
		{words(4) + " and " + words(20), []int{16, 9}}, // too early
	} {
		tokens := tokenize(tt.text)
		var got []int
		for len(tokens) > 0 {
			n := pieceLen(tokens)
			got = append(got, n)
			tokens = tokens[n:]
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: pieces of %v, want %v", tt.text, got, tt.want)
		}
	}
}

func TestWordsOf(t *testing.T) {
	s := time.Second
	tokens := []token{{text: "a", word: "á"}, {text: "b", word: "bc"}, {text: "c"}}
	got := wordsOf(tokens, []span{{s, 2 * s}, {2 * s, 3 * s}, {3 * s, 4 * s}}, s)
	want := []tts.Word{{Text: "á", Start: 2 * s, End: 3 * s}, {Text: "bc", Start: 3 * s, End: 5 * s}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for n := range 7 { // whatever flite makes of the text, the words keep their order
		spans := make([]span, n)
		for i := range spans {
			spans[i] = span{time.Duration(i) * s, time.Duration(i+1) * s}
		}
		var before time.Duration
		for _, w := range wordsOf(tokens, spans, 0) {
			if w.Start < before || w.End < w.Start {
				t.Errorf("%d spans: %v", n, w)
			}
			before = w.Start
		}
	}
}

func FuzzTokenize(f *testing.F) {
	f.Add("Hello, wörld 你好 😀 ... 3.14 \x00")
	f.Fuzz(func(t *testing.T, s string) {
		tokens := tokenize(s)
		for _, tok := range tokens {
			if tok.text == "" || len(tok.text) > maxToken+1 || !utf8.ValidString(tok.text) {
				t.Fatalf("token %q", tok.text)
			}
			for _, b := range []byte(tok.text) {
				if b <= ' ' || b >= 0x7f {
					t.Fatalf("token %q of %q", tok.text, s)
				}
			}
		}
		for len(tokens) > 0 {
			n := pieceLen(tokens)
			if n < 1 || n > hardWords {
				t.Fatalf("a piece of %d", n)
			}
			tokens = tokens[n:]
		}
	})
}
