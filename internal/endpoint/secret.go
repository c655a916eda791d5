package endpoint

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "[redacted]"

// Secret is a string that shows itself as "[redacted]" wherever it is printed,
// logged or marshalled. Reveal gives the plain text.
type Secret string

// Reveal returns the plain text, for the wire only.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format implements fmt.Formatter, so that no verb shows the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler for JSON, YAML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Space around the text,
// which a file or a shell easily adds, is dropped.
func (s *Secret) UnmarshalText(text []byte) error {
	v := Secret(strings.TrimSpace(string(text)))
	if err := v.validate(); err != nil {
		return err
	}
	*s = v
	return nil
}

// validate refuses what cannot be a key: the placeholder of a printed
// configuration, and bytes that an HTTP header may not hold.
func (s Secret) validate() error {
	if s == redacted {
		return errors.New("endpoint: a key was given as " + redacted + ", the placeholder of a printed configuration")
	}
	for _, r := range string(s) {
		if r <= ' ' || r > '~' {
			return errors.New("endpoint: a key may hold printable ASCII without spaces only")
		}
	}
	return nil
}
