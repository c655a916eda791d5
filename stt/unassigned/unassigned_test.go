package unassigned_test

import (
	"context"
	"strings"
	"testing"

	"parley/internal/fault"
	"parley/stt"
	"parley/stt/sttest"
	"parley/stt/unassigned"
)

var _ stt.Transcriber = unassigned.Engine{}

func TestSaysWhatToSet(t *testing.T) {
	n := 0
	for tr, err := range (unassigned.Engine{}).Transcribe(t.Context(), sttest.Frames(make([]int16, 960))) {
		n++
		if fault.KindOf(err) != fault.Misconfigured || !strings.Contains(err.Error(), "set stt.engine") {
			t.Errorf("error %v, want one that is misconfigured and says what to set", err)
		}
		if tr.Final {
			t.Error("a failed stream holds a final transcript")
		}
	}
	if n != 1 {
		t.Errorf("%d elements, want 1", n)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range (unassigned.Engine{}).Transcribe(ctx, sttest.Frames(nil)) {
		if fault.KindOf(err) != fault.Canceled {
			t.Errorf("error %v, want the context's", err)
		}
	}
}
