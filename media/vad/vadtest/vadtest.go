// Package vadtest finds what tests of voice activity need: the network's
// weights and recorded speech. A test that cannot find them fails; skipping
// would hide that nothing was tested.
//
// May import: audio and the standard library. Only tests import it.
// Concurrency: functions are safe for concurrent use.
package vadtest

import (
	"os"
	"path/filepath"
	"testing"

	"parley/audio"
)

// Published and Plain name the two files of the same 16 kHz network: the one
// parley installs, and the one with the 16 kHz branch alone.
const (
	Published = "silero_vad_v6.onnx"
	Plain     = "silero_vad_16k_op15.onnx"
)

// Model returns the path of a weights file: in $PARLEY_MODELS, in models/ of the
// repository, or in ../shared/models beside it, where developers keep more.
func Model(tb testing.TB, name string) string {
	tb.Helper()
	if p := find(tb, name); p != "" {
		return p
	}
	tb.Fatalf("no %s in any of %q: run make setup, or set PARLEY_MODELS", name, modelDirs(tb))
	return ""
}

// Others returns the files among Plain that are at hand: set-up does not install
// it, so that only who has it compares with it.
func Others(tb testing.TB) []string {
	tb.Helper()
	if find(tb, Plain) == "" {
		tb.Logf("%s is not at hand; the comparison with it is left out", Plain)
		return nil
	}
	return []string{Plain}
}

func find(tb testing.TB, name string) string {
	for _, dir := range modelDirs(tb) {
		if p := filepath.Join(dir, name); exists(p) {
			return p
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func modelDirs(tb testing.TB) []string {
	root := Root(tb)
	dirs := []string{filepath.Join(root, "models"), filepath.Join(root, "..", "shared", "models")}
	if dir := os.Getenv("PARLEY_MODELS"); dir != "" {
		dirs = append([]string{dir}, dirs...)
	}
	return dirs
}

// Clip returns a recording, 16 kHz mono, by its file name.
func Clip(tb testing.TB, name string) []int16 {
	tb.Helper()
	for _, dir := range speechDirs(tb) {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		defer f.Close()
		pcm, rate, err := audio.ReadWAV(f)
		if err != nil || rate != audio.SpeechRate {
			tb.Fatalf("%s: rate %d, error %v", name, rate, err)
		}
		return pcm
	}
	tb.Fatalf("no recording %s in any of %q", name, speechDirs(tb))
	return nil
}

func speechDirs(tb testing.TB) []string {
	root := Root(tb)
	return []string{filepath.Join(root, "testdata", "speech"), filepath.Join(root, "media", "vad", "testdata", "speech")}
}

// Root returns the repository's root: the nearest folder upwards with a go.mod.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if filepath.Dir(dir) == dir {
			tb.Fatal("no go.mod upwards of the working directory")
		}
		dir = filepath.Dir(dir)
	}
}
