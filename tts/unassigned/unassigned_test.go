package unassigned_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"parley/internal/fault"
	"parley/tts"
	"parley/tts/unassigned"
)

var _ tts.Voice = unassigned.Engine{}

func speak(ctx context.Context, t *testing.T) error {
	t.Helper()
	text := func(func(string) bool) { t.Error("the text was pulled") }
	voice, err := unassigned.New(unassigned.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var errs []error
	for s, err := range voice.Speak(ctx, text) {
		if len(s.PCM) > 0 || err == nil {
			t.Errorf("got %+v", s)
		}
		errs = append(errs, err)
	}
	if len(errs) != 1 {
		t.Fatalf("%d elements, want 1", len(errs))
	}
	return errs[0]
}

func TestSaysWhatToSet(t *testing.T) {
	err := speak(t.Context(), t)
	if fault.KindOf(err) != fault.Misconfigured || !strings.Contains(err.Error(), "set tts.engine") {
		t.Errorf("error %v", err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := speak(ctx, t); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
