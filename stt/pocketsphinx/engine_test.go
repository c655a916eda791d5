package pocketsphinx

import (
	"log/slog"
	"testing"

	"parley/stt/sttest"
)

func open(t testing.TB, change func(*Config)) *Engine {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	if err := Check(cfg); err != nil {
		t.Skip(err)
	}
	e, err := New(cfg, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func TestConformance(t *testing.T) {
	sttest.Run(t, func(t *testing.T) sttest.Fixture {
		clip := sttest.Clip(t, "what-time-is-it-1")
		return sttest.Fixture{Engine: open(t, nil), Speech: clip.PCM, Want: clip.Text}
	})
}
