package observe

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"

	"parley/conversation"
)

// NewLogger writes to w: coloured text on a terminal and JSON elsewhere when
// format is "auto", or always "text" or "json". level is "debug", "info",
// "warn" or "error".
func NewLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var min slog.Level
	if err := min.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("observe: log level %q is none of debug, info, warn, error", level)
	}
	f, isFile := w.(*os.File)
	terminal := isFile && isatty.IsTerminal(f.Fd())
	switch {
	case format == "json", format == "auto" && !terminal:
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: min})), nil
	case format == "text", format == "auto":
		return slog.New(tint.NewHandler(w, &tint.Options{Level: min, TimeFormat: time.TimeOnly, NoColor: !terminal})), nil
	default:
		return nil, fmt.Errorf("observe: log format %q is none of auto, text, json", format)
	}
}

// Log writes a line when a turn ends and when a part of one fails: times and
// causes, never what was said. Calls themselves are signaling's to log.
type Log struct{ log *slog.Logger }

// NewLog returns a consumer that writes to log.
func NewLog(log *slog.Logger) *Log { return &Log{log} }

// Consume takes the next event of any call.
func (l *Log) Consume(e conversation.Envelope) {
	switch ev := e.Event.(type) {
	case conversation.StageFailed:
		l.log.Warn("stage failed", "call", e.Call, "turn", ev.Turn, "stage", string(ev.Stage), "kind", string(ev.Kind), "err", ev.Err)
	case conversation.Dropped:
		l.log.Warn("queue overflowed", "call", e.Call, "queue", ev.Queue, "dropped", ev.Count)
	case conversation.TurnEnded:
		args := []any{"call", e.Call, "turn", ev.Turn, "input", ev.Input, "status", string(ev.Status)}
		if ev.Reason != "" {
			args = append(args, "reason", ev.Reason)
		}
		for _, s := range ev.Timeline.Stages() {
			args = append(args, s.Name+"_ms", float64(s.Duration.Round(100*time.Microsecond))/1e6)
		}
		l.log.Info("turn ended", args...)
	}
}
