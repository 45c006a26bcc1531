package realtime

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
)

// trouble logs when something begins to fail and when it works again, and nothing for each try in between. It
// belongs to one goroutine.
type trouble struct {
	log   *slog.Logger
	what  string
	since time.Time
}

func (t *trouble) failed(ctx context.Context, err error) {
	if !t.since.IsZero() || ctx.Err() != nil {
		return
	}
	t.since = time.Now()
	t.log.WarnContext(ctx, t.what+" fails", "error", err.Error())
}

func (t *trouble) over(ctx context.Context) {
	if t.since.IsZero() {
		return
	}
	t.log.InfoContext(ctx, t.what+" works again", "afterMs", time.Since(t.since).Milliseconds())
	t.since = time.Time{}
}

// oftenest is how often one message of the library is logged: while Redis is away it has several a second.
const oftenest = 30 * time.Second

// libraryLog is the log of the library below. Its messages are constants.
type libraryLog struct {
	log *slog.Logger

	mu   sync.Mutex
	last map[string]*repeated
}

type repeated struct {
	at    time.Time
	since int // how many were not logged
}

func newLibraryLog(log *slog.Logger) *libraryLog {
	return &libraryLog{log: log, last: make(map[string]*repeated)}
}

// libraryLevel is what the library is asked to say. Its level Info is what clients do wrong, which is for
// debugging, like its level Debug; Trace would be their messages.
func libraryLevel(log *slog.Logger) centrifuge.LogLevel {
	if log.Enabled(context.Background(), slog.LevelDebug) {
		return centrifuge.LogLevelDebug
	}
	return centrifuge.LogLevelWarn
}

// entry logs what the library says, but for what clients have sent, which some of its fields quote.
func (l *libraryLog) entry(e centrifuge.LogEntry) {
	level := slog.LevelDebug
	if e.Level >= centrifuge.LogLevelWarn {
		// An error of the library is a Redis that is away, usually; what it means is logged where it matters.
		level = slog.LevelWarn
	}
	ctx := context.Background()
	skipped := 0
	if level > slog.LevelDebug {
		var due bool
		if skipped, due = l.due(e.Message, time.Now()); !due {
			return
		}
	}
	attrs := []slog.Attr{slog.String("detail", e.Message)}
	if skipped > 0 {
		attrs = append(attrs, slog.Int("repeated", skipped))
	}
	for _, name := range []string{"client", "user", "reason", "code", "channel", "shard", "error"} {
		value, ok := e.Fields[name]
		if ok && (name != "error" || level > slog.LevelDebug) {
			attrs = append(attrs, slog.Any(name, value))
		}
	}
	l.log.LogAttrs(ctx, level, "live updates: library", attrs...)
}

// due reports whether the message may be logged again, and how many were not.
func (l *libraryLog) due(message string, now time.Time) (skipped int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.last[message]
	if r == nil {
		r = &repeated{}
		l.last[message] = r
	}
	if now.Sub(r.at) < oftenest {
		r.since++
		return 0, false
	}
	skipped = r.since
	*r = repeated{at: now}
	return skipped, true
}
