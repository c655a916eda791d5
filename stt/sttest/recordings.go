package sttest

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"parley/audio"
)

// Recording is a clip of human speech and what is said in it.
type Recording struct {
	Name string  // file name without extension: "what-time-is-it-1"
	PCM  []int16 // 16 kHz mono
	Text string  // lower case, no punctuation
}

// SpeechDir is the folder of recordings: PARLEY_SPEECH where it is set, else
// testdata/speech of this repository.
func SpeechDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("PARLEY_SPEECH"); dir != "" {
		return dir
	}
	return clean(t)
}

func clean(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return filepath.Join("..", "..", "testdata", "speech") // built with -trimpath
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "testdata", "speech")
}

// Recordings reads every clip that dir's transcripts.tsv names. Tests that
// need certain clips read them with Clip, which does not depend on the
// environment.
func Recordings(t testing.TB, dir string) []Recording {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(dir, "transcripts.tsv"))
	if err != nil {
		t.Fatalf("sttest: read transcripts: %v", err)
	}
	var all []Recording
	for line := range strings.Lines(string(table)) {
		name, text, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatalf("sttest: read recording: %v", err)
		}
		pcm, rate, err := audio.ReadWAV(bytes.NewReader(data))
		if err != nil || rate != audio.SpeechRate {
			t.Fatalf("sttest: %s: rate %d, %v", name, rate, err)
		}
		all = append(all, Recording{Name: strings.TrimSuffix(name, ".wav"), PCM: pcm, Text: text})
	}
	if len(all) == 0 {
		t.Fatalf("sttest: no recordings in %s", dir)
	}
	return all
}

// Clip reads one clip of testdata/speech: "go-forward", "what-time-is-it-1" or
// "brooklyn-bridge".
func Clip(t testing.TB, name string) Recording {
	t.Helper()
	for _, r := range Recordings(t, clean(t)) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("sttest: no clip %q", name)
	return Recording{}
}

// WordErrors compares what was understood with what was said, ignoring case
// and punctuation: the least number of substituted, inserted and missing words
// (Levenshtein), and the number of words said. Their ratio is the word error rate.
func WordErrors(said, understood string) (errors, words int) {
	a, b := wordsOf(said), wordsOf(understood)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)], len(a)
}

func wordsOf(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r != '\'' && (r < 'a' || r > 'z') && (r < '0' || r > '9') && r < 0x80
	})
}
