package orders

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/redis/go-redis/v9"
)

// Stream is the Redis stream of all changes of users' orders. An entry has the fields "user", whose order it is, and
// "order", the JSON of the order as a request for it would be answered.
const Stream = "orders:changes"

const (
	streamLength = 10_000
	appendWithin = 100 * time.Millisecond
	maxWaiting   = 1000
)

// Changes appends to Stream whenever a user's order is placed or cancelled, in the order of the changes; the last
// 10,000 or some more are kept. An order of a partner is no change, nor is the answer to an idempotency key that was
// used before.
//
// A request waits for the append for up to 100 ms and succeeds whatever becomes of it. What could not be appended is
// tried again before the next change of anybody, so it comes late when Redis was away, twice when only its answer
// was, and never when the stand-in stops first or 1,000 newer changes wait.
type Changes struct {
	redis *redis.Client
	log   *slog.Logger

	mu        sync.Mutex
	waiting   []change // oldest first
	appending bool     // somebody is at it, and will not stop while anything waits
	failing   bool
	lost      int // while failing
}

type change struct {
	user  string
	order []byte
}

// OpenChanges appends to the Redis of a URL such as redis://localhost:6379/0, which need not answer yet. The log says
// when appending begins to fail and when it works again. Whoever opens closes. The error does not quote the URL, any
// part of which may be its password.
func OpenChanges(url string, log *slog.Logger) (*Changes, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("no URL of a Redis")
	}
	// A service must not wait for those whom it tells; go-redis would, for seconds.
	options.ContextTimeoutEnabled = true
	options.MaxRetries, options.DialerRetries = -1, 1
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = appendWithin, appendWithin, appendWithin
	options.Protocol, options.DisableIdentity = 2, true
	return &Changes{redis: redis.NewClient(options), log: log}, nil
}

// Close closes the connections. What waits to be appended is lost.
func (c *Changes) Close() error { return c.redis.Close() }

// tell appends the order of a user as it is now. A nil Changes tells nobody.
func (c *Changes) tell(ctx context.Context, user string, now order) {
	if c == nil {
		return
	}
	content, err := json.Marshal(now)
	if err != nil {
		panic("orders: " + err.Error())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, change{user, content})
	if len(c.waiting) > maxWaiting {
		c.waiting = c.waiting[1:]
		c.lost++
	}
	if !c.appending {
		c.appending = true
		c.appendAll(context.WithoutCancel(ctx))
		c.appending = false
	}
}

// appendAll appends until nothing waits or Redis fails. The caller holds the lock, which is free during an append.
func (c *Changes) appendAll(ctx context.Context) {
	for len(c.waiting) > 0 {
		oldest := c.waiting[0]
		c.waiting = c.waiting[1:]
		c.mu.Unlock()
		err := c.append(ctx, oldest)
		c.mu.Lock()
		switch {
		case err != nil:
			c.waiting = append([]change{oldest}, c.waiting...)
			if !c.failing {
				c.log.WarnContext(ctx, "changes of orders are not appended", "stream", Stream, "error", err.Error())
			}
			c.failing = true
			return
		case c.failing:
			c.log.WarnContext(ctx, "changes of orders are appended again", "stream", Stream, "lost", c.lost)
			c.failing, c.lost = false, 0
		}
	}
	c.waiting = nil
}

func (c *Changes) append(ctx context.Context, one change) error {
	ctx, cancel := context.WithTimeout(ctx, appendWithin)
	defer cancel()
	return c.redis.XAdd(ctx, &redis.XAddArgs{
		Stream: Stream, MaxLen: streamLength, Approx: true,
		Values: []any{"user", one.user, "order", one.order},
	}).Err()
}
