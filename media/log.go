package media

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pion/logging"
	"golang.org/x/time/rate"
)

// pionLogs hands pion's log lines to ours. Its errors and warnings are mostly
// about what a caller did, who could flood the log with them: errors become
// rate-limited warnings, warnings debug lines, and the rest is dropped.
type pionLogs struct {
	log   *slog.Logger
	limit *rate.Limiter
}

func newPionLogs(log *slog.Logger) pionLogs {
	return pionLogs{log: log, limit: rate.NewLimiter(rate.Every(time.Second), 10)}
}

// NewLogger implements logging.LoggerFactory.
func (l pionLogs) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{l.log.With("pion", scope), l.limit}
}

type pionLog struct {
	log   *slog.Logger
	limit *rate.Limiter
}

func (l pionLog) Trace(string)          {}
func (l pionLog) Tracef(string, ...any) {}
func (l pionLog) Debug(string)          {}
func (l pionLog) Debugf(string, ...any) {}
func (l pionLog) Info(string)           {}
func (l pionLog) Infof(string, ...any)  {}
func (l pionLog) Warn(msg string)       { l.log.Debug(msg) }
func (l pionLog) Error(msg string) {
	if l.limit.Allow() {
		l.log.Warn(msg)
	}
}

func (l pionLog) Warnf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...))
	}
}

func (l pionLog) Errorf(format string, args ...any) { l.Error(fmt.Sprintf(format, args...)) }
