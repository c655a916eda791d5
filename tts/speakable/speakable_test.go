package speakable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEnglish(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "Hello there, how are you?", "Hello there, how are you?"},
		{"spaces", "  Hello \n there.  ", "Hello. there."},
		{"apostrophes", "It’s the dogs' bone, don't.", "It's the dogs' bone, don't."},
		{"quotation marks", "He said “stop” and 'go'.", "He said stop and go."},

		{"bold and italic", "This is **very** *important* and __so__ _on_.", "This is very important and so on."},
		{"half of a bold", "**Take a coat,", "Take a coat,"},
		{"strike", "~~old~~ new", "old new"},
		{"heading", "# The weather\nIt rains.", "The weather. It rains."},
		{"bullets", "- milk\n- eggs\n* bread", "milk. eggs. bread"},
		{"tasks", "- [ ] wash\n- [x] dry", "wash. dry"},
		{"numbered", "1. Take a bowl\n2. Stir.", "1. Take a bowl. 2. Stir."},
		{"quote", "> To be or not to be", "To be or not to be"},
		{"rule", "One\n---\nTwo", "One. Two"},
		{"table", "| City | Degrees |\n|---|---:|\n| Rome | 21 |", "City, Degrees. Rome, 21"},
		{"inline code", "Call `run_all()` now", "Call run all() now"},
		{"code block", "Look:\n```go\nfunc main() {}\n```", "Look: The code is in the transcript."},
		{"open code block", "```python\nprint(1)", "The code is in the transcript."},
		{"html", "Go <b>now</b>&nbsp;or&#39;never&#39;<br/>", "Go now or'never"},
		{"control token", "Done.<|im_end|>", "Done."},
		{"entities", "Tom &amp; Jerry", "Tom and Jerry"},
		{"footnote", "It is so.[1] Really[^2].", "It is so. Really."},
		{"formula", `\(\frac{1}{2} \times 4 = 2\)`, "1 over 2 times 4 = 2"},

		{"link", "See [the manual](https://example.com/m_(x)).", "See the manual."},
		{"link cut in two", "a guide](https://example.com/x) here", "a guide here"},
		{"image", "![a cat](cat.png)", "a cat"},
		{"url", "Go to https://www.example.com/x?y=1.", "Go to example dot com."},
		{"url in brackets", "(see https://example.com/x)", "(see example dot com)"},
		{"autolink", "<https://example.org>", "example dot org"},
		{"bare host", "Visit example.co.uk today", "Visit example dot co dot uk today"},
		{"mail", "Write to joe.b@example.com.", "Write to joe dot b at example dot com."},
		{"file", "Open main.go, e.g. at 5 p.m.", "Open main dot go, e.g. at 5 p.m."},

		{"emoji", "Great 😀👍🏽! Family 👨‍👩‍👧 🇩🇪 ❤️", "Great! Family"},
		{"control characters", "a\x00b\x1b[31m\u200bc\u202e d", "ab 31mc d"},
		{"bad bytes", "ok\xff\xfeok", "ok ok"},
		{"dashes", "Yes—no – maybe - so -- well", "Yes, no, maybe, so, well"},
		{"compound", "a well-known T-shirt", "a well-known T-shirt"},
		{"ellipsis", "Well… yes", "Well... yes"},

		{"numbers that are fine", "3.14 and 1,000 at 10:30, 50% of $5.99", "3.14 and 1,000 at 10:30, 50% of $5.99"},
		{"temperature", "It is 21 °C or 69.8°F, -5 °C.", "It is 21 degrees Celsius or 69.8 degrees Fahrenheit, -5 degrees Celsius."},
		{"angle", "turn 90° left", "turn 90 degrees left"},
		{"units", "12.5km at 80 km/h with 1 kg, 3m, 500ml, 20 min, 5 ft", "12.5 kilometers at 80 kilometers per hour with 1 kilogram, 3 meters, 500 milliliters, 20 minutes, 5 feet"},
		{"not units", "3D and 5G and 4th and 10 am and 7 a day", "3D and 5G and 4th and 10 am and 7 a day"},
		{"money", "€5, £5.99, ¥500, 3€, $3M, $2.5 billion, £1", "5 euros, 5 pounds 99, 500 yen, 3 euros, 3 million dollars, 2.5 billion dollars, 1 pound"},
		{"date", "on 2024-05-06 and 2024-15-06", "on May 6, 2024 and 2024-15-06"},
		{"midnight", "at 00:15", "at 0 15"},
		{"version", "v1.2.3 at 10.0.0.1", "v1 point 2 point 3 at 10 point 0 point 0 point 1"},
		{"range", "5–10 people", "5-10 people"},
		{"arithmetic", "3 × 4 = 12, 3 * 4, 10 ÷ 2, 5 - 3, 8 / 2, x^2, 2^10", "3 times 4 = 12, 3 times 4, 10 divided by 2, 5 minus 3, 8 divided by 2, x squared, 2 to the power of 10"},
		{"comparison", "x < 5 and y >= 3", "x less than 5 and y at least 3"},
		{"fractions", "½ cup and 2½ spoons, ¾", "a half cup and 2 and a half spoons, three quarters"},
		{"number sign", "#1 and ~5", "number 1 and about 5"},
		{"either", "and/or 24/7", "and or 24 7"},

		{"emoji only", "👍", ""},
		{"marks only", "... *** !", ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.in, "en-GB"); got != tt.want {
				t.Errorf("Text(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestOtherLanguagesGetNoEnglishWords(t *testing.T) {
	tests := []struct{ lang, in, want string }{
		{"de", "Es sind **21 °C** & 3 km, siehe https://www.example.de/x.", "Es sind 21 °C & 3 km, siehe example.de."},
		{"de-AT", "```\nx\n```", ""},
		{"zh", "你好，**世界**😀。", "你好，世界。"},
		{"fr", "l’été — « oui »", "l'été, oui"},
	}
	for _, tt := range tests {
		if got := Text(tt.in, tt.lang); got != tt.want {
			t.Errorf("Text(%q, %q) = %q, want %q", tt.in, tt.lang, got, tt.want)
		}
	}
}

func TestSpeakableTextStays(t *testing.T) {
	for _, s := range []string{
		"Hello there, how are you?", "It is 10:30 a.m. in the U.S., Mr. Smith.", "3.14 and 1,000 and $5.99 and 50%.",
		"21 degrees Celsius, 12.5 kilometers per hour", "example dot com", "The well-known dogs' bone (a big one).", "你好，世界。",
		"Good morning to you,", "May 6, 2024",
	} {
		if got := Text(s, ""); got != s {
			t.Errorf("Text(%q) = %q", s, got)
		}
	}
}

func TestPlainTextCostsNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Text("The weather is fine today, isn't it?", "en") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzText(f *testing.F) {
	f.Add("**Hello** [x](https://a.b/c) `d` 😀 21 °C €5 2024-05-06", "en")
	f.Add("| a | b |\n|---|---|\n- [ ] c\n```\nd", "")
	f.Add("\\frac{1}{2}^2 <b>&amp;amp;</b> 5 - 3", "de")
	f.Fuzz(func(t *testing.T, s, lang string) {
		got := Text(s, lang)
		if !utf8.ValidString(got) {
			t.Fatalf("Text(%q) = %q is not UTF-8", s, got)
		}
		if strings.TrimSpace(got) != got || strings.Contains(got, "  ") {
			t.Fatalf("Text(%q) = %q has stray spaces", s, got)
		}
		if got != "" && !hasWord(got) {
			t.Fatalf("Text(%q) = %q has nothing to say", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || isPictograph(r) {
				t.Fatalf("Text(%q) = %q holds %q", s, got, r)
			}
		}
		if len(got) > 64*len(s)+64 {
			t.Fatalf("%d bytes of %d", len(got), len(s))
		}
	})
}

func BenchmarkText(b *testing.B) {
	for name, s := range map[string]string{
		"plain":    "The weather in London is fine today, and it will stay so.",
		"numbers":  "It is 21 °C at 10:30 in London, and 12.5 km from here it rains.",
		"markdown": "1. **Open** the [manual](https://example.com/manual) and read *section* `3.2`.",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Text(s, "en")
			}
		})
	}
}
