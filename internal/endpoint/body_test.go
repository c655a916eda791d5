package endpoint

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slowEnd gives its pieces, and the end of the body only after a while or once
// it is closed.
type slowEnd struct {
	pieces []string
	wait   time.Duration
	closed chan struct{}
}

func (s *slowEnd) Read(p []byte) (int, error) {
	if len(s.pieces) > 0 {
		n := copy(p, s.pieces[0])
		s.pieces = s.pieces[1:]
		return n, nil
	}
	select {
	case <-time.After(s.wait):
		return 0, io.EOF
	case <-s.closed:
		return 0, errors.New("closed")
	}
}

func (s *slowEnd) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

// Close reads to the end of the body only where the end mark has come, and not
// for long.
func TestBodyCloses(t *testing.T) {
	tests := map[string]struct {
		pieces []string
		wait   time.Duration
		took   time.Duration
	}{
		"no mark":         {[]string{"data: hello\n\n"}, 50 * time.Millisecond, 0},
		"mark":            {[]string{"data: hello\n\n", "data: [DONE]\n\n"}, 50 * time.Millisecond, 50 * time.Millisecond},
		"mark in pieces":  {[]string{"data: hello\n\ndata: [DO", "NE]", "\n\n"}, 50 * time.Millisecond, 50 * time.Millisecond},
		"mark, no end":    {[]string{"data: [DONE]\n\n"}, time.Hour, drainTimeout},
		"mark in the way": {[]string{"data: [DONE]\n\n" + strings.Repeat("x", 500)}, 50 * time.Millisecond, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &body{ReadCloser: &slowEnd{pieces: test.pieces, wait: test.wait, closed: make(chan struct{})}, left: 1000}
				for range test.pieces {
					if _, err := b.Read(make([]byte, 600)); err != nil {
						t.Fatal(err)
					}
				}
				start := time.Now()
				if err := b.Close(); err != nil || time.Since(start) != test.took {
					t.Errorf("took %v, %v; want %v", time.Since(start), err, test.took)
				}
			})
		})
	}
}

func TestBodyIsCapped(t *testing.T) {
	b := &body{ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat("x", 100))), left: 10}
	data, err := io.ReadAll(b)
	if len(data) != 10 || !errors.Is(err, errTooLong) {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}
