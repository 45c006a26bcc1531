package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"
)

// adoptLogs sends what libraries say to the log. Each of them has one log for the whole process: zitadel/oidc announces
// its routes on the default one, and go-redis writes to stderr in a format of its own.
func adoptLogs(to *slog.Logger) {
	slog.SetDefault(to)
	redis.SetLogger(redisLog{to})
}

// redisLog takes the log of go-redis.
type redisLog struct{ log *slog.Logger }

// Printf logs one line. What a pool says comes with every attempt to reach Redis, and the Order Service says it once.
func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	level := slog.LevelWarn
	if strings.HasPrefix(format, "redis: connection pool: ") {
		level = slog.LevelDebug
	}
	l.log.Log(ctx, level, "redis client", "detail", fmt.Sprintf(format, args...))
}
