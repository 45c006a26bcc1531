package platform

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
)

// adoptLogs sends what libraries say to the process's log. Each of them has one log for the whole process,
// which by default is stderr, in a format of its own.
func adoptLogs(to *slog.Logger) {
	redis.SetLogger(redisLog{to})
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		to.Warn("traces", "error", err.Error())
	}))
	log.SetFlags(0)
	log.SetOutput(standardLog{to})
}

// redisLog takes the log of go-redis, such as that the sentinels name a new master.
type redisLog struct{ log *slog.Logger }

// Printf logs one line. What a pool says is in the error of a command too, and comes with every connection.
func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	level := slog.LevelWarn
	if strings.HasPrefix(format, "redis: connection pool: ") {
		level = slog.LevelDebug
	}
	l.log.Log(ctx, level, "redis client", "detail", fmt.Sprintf(format, args...))
}

// standardLog takes the log of package log, which net/http's transport writes to.
type standardLog struct{ log *slog.Logger }

// Write logs one line, without what a service sent unasked: its bodies are not for the log.
func (l standardLog) Write(line []byte) (int, error) {
	text, _, _ := strings.Cut(strings.TrimSpace(string(line)), " starting with ")
	l.log.Debug("library", "detail", text)
	return len(line), nil
}
