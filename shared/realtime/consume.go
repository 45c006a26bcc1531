package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrPoison marks an entry that no retry will get handled: an error of a handler that wraps it is logged, and the
// entry is done.
var ErrPoison = errors.New("poison")

const (
	// atOnce is how many entries one read takes.
	atOnce = 64
	// handleWithin bounds one call of a handler.
	handleWithin = 5 * time.Second
	// batchWithin is well below claimAfter: entries that wait for longer are read again, which tells the other
	// consumers that somebody is at them.
	batchWithin = 3 * time.Second
	// deadAfter is how long the name of a consumer is kept that reads no more and owes nothing.
	deadAfter = 10 * time.Minute
)

// times are those that tests shorten.
type times struct {
	wait       time.Duration // of one read for new entries
	claimAfter time.Duration // an entry unhandled for so long is taken from its consumer
	claimEvery time.Duration
	sweepEvery time.Duration // for the names of dead consumers
}

func usualTimes() times {
	return times{wait: waitFor, claimAfter: 15 * time.Second, claimEvery: 5 * time.Second, sweepEvery: time.Minute}
}

// Consumer is one of the processes that share the entries of a Redis stream. All of it is required.
type Consumer struct {
	// Redis needs a connection for Consume alone, which waits on it for entries.
	Redis redis.UniversalClient
	// Stream is the key of the stream, which need not exist yet.
	Stream string
	// Group is the same for all processes that share the entries. It begins with what comes after its creation.
	Group string
	// Name is this process among them; no other process may have it, a restarted one included.
	Name string
	Log  *slog.Logger
}

// Consume hands each entry of the stream to one of the group's consumers, in the stream's order for each, until
// ctx ends. Then it returns nil, within about 2 s unless handle takes longer.
//
// An entry is done when handle returns nil, or panics or returns an error that wraps ErrPoison, which is logged.
// After any other error the entry is handed over again, with pauses of up to 500 ms, and the entries behind it wait. A process
// that dies leaves its entries to the others, which take them after 15 to 20 s. So handle sees every entry at
// least once, and rarely twice: what must happen once needs the id, as Hub.Publish takes it. Each call of handle
// has 5 s, and is not cancelled when ctx ends.
//
// While Redis is away Consume tries again and again, with pauses of up to 500 ms; a Redis that comes back without
// the group gets it again, with everything that came since. Entries that the stream dropped (MAXLEN) before
// anybody handled them are lost, and logged.
func Consume(ctx context.Context, c Consumer, handle func(ctx context.Context, id string, values map[string]any) error) error {
	if c.Redis == nil || c.Stream == "" || c.Group == "" || c.Name == "" || c.Log == nil {
		return errors.New("realtime: incomplete Consumer")
	}
	r := &consuming{Consumer: c, handle: handle, times: usualTimes(), since: "$"}
	r.run(ctx)
	return nil
}

// consuming is a Consumer at work. It belongs to one goroutine.
type consuming struct {
	Consumer
	times

	handle func(context.Context, string, map[string]any) error

	since string // where a group begins that has to be created
	owing bool   // there may be entries that this consumer took and has not handled
	pause time.Duration

	claimed time.Time
	swept   time.Time
}

func (c *consuming) run(ctx context.Context) {
	reading := trouble{log: c.Log.With("stream", c.Stream), what: "live updates: reading"}
	handling := trouble{log: c.Log.With("stream", c.Stream), what: "live updates: handling"}
	joined := false
	for ctx.Err() == nil {
		var entries []redis.XMessage
		err := c.ready(ctx, &joined)
		if err == nil {
			entries, err = c.read(ctx)
		}
		if err != nil {
			joined = false // for all we know; joining again does no harm
			reading.failed(ctx, err)
			c.rest(ctx)
			continue
		}
		reading.over(ctx)
		if err := c.handleAll(ctx, entries); err != nil {
			handling.failed(ctx, err)
			c.rest(ctx)
			continue
		}
		c.pause = 0
		if len(entries) > 0 {
			handling.over(ctx)
		}
	}
	c.leave(context.WithoutCancel(ctx))
}

// ready joins the group, and now and then looks after what others left behind.
func (c *consuming) ready(ctx context.Context, joined *bool) error {
	if !*joined {
		if err := c.join(ctx); err != nil {
			return err
		}
		*joined, c.owing = true, true
	}
	now := time.Now()
	if now.Sub(c.claimed) >= c.claimEvery {
		if err := c.claim(ctx); err != nil {
			return err
		}
		c.claimed = now
	}
	if now.Sub(c.swept) >= c.sweepEvery {
		if err := c.sweep(ctx); err != nil {
			return err
		}
		c.swept = now
	}
	return nil
}

// join makes sure that there is a group.
func (c *consuming) join(ctx context.Context) error {
	err := c.Redis.XGroupCreateMkStream(ctx, c.Stream, c.Group, c.since).Err()
	if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return err
	}
	if c.since == "$" {
		c.since = "0" // a group that is lost from now on is to miss nothing
	}
	return nil
}

// claim takes over what nobody has handled for long.
func (c *consuming) claim(ctx context.Context) error {
	start := "0-0"
	for {
		taken, next, err := c.Redis.XAutoClaimJustID(ctx, &redis.XAutoClaimArgs{
			Stream: c.Stream, Group: c.Group, Consumer: c.Name, MinIdle: c.claimAfter, Start: start, Count: atOnce,
		}).Result()
		if err != nil {
			return err
		}
		c.owing = c.owing || len(taken) > 0
		if next == "0-0" || next == "" || next == start {
			return nil
		}
		start = next
	}
}

// sweep forgets the names of consumers that are gone.
func (c *consuming) sweep(ctx context.Context) error {
	consumers, err := c.Redis.XInfoConsumers(ctx, c.Stream, c.Group).Result()
	if err != nil {
		return err
	}
	for _, other := range consumers {
		if other.Name == c.Name || other.Pending > 0 || other.Idle < deadAfter {
			continue
		}
		if err := c.Redis.XGroupDelConsumer(ctx, c.Stream, c.Group, other.Name).Err(); err != nil {
			return err
		}
	}
	return nil
}

// read returns what is to be handled: first what this consumer owes, then what is new.
func (c *consuming) read(ctx context.Context) ([]redis.XMessage, error) {
	const unhandled, unread = "0", ">"
	args := &redis.XReadGroupArgs{
		Group: c.Group, Consumer: c.Name, Streams: []string{c.Stream, unhandled}, Count: atOnce, Block: -1,
	}
	if c.owing {
		entries, err := readWaiting(ctx, 0, func(ctx context.Context) ([]redis.XStream, error) { return c.Redis.XReadGroup(ctx, args).Result() })
		if err != nil || len(entries) > 0 {
			return entries, err
		}
		c.owing = false
	}
	args.Streams[1], args.Block = unread, c.wait
	return readWaiting(ctx, c.wait, func(ctx context.Context) ([]redis.XStream, error) { return c.Redis.XReadGroup(ctx, args).Result() })
}

// handleAll handles the entries in their order, up to the first that fails; the rest is owed then.
func (c *consuming) handleAll(ctx context.Context, entries []redis.XMessage) error {
	began := time.Now()
	for _, entry := range entries {
		if time.Since(began) > batchWithin || (ctx.Err() != nil && time.Since(began) > waitFor) {
			c.owing = true
			return nil
		}
		err := c.handleOne(context.WithoutCancel(ctx), entry)
		if err == nil {
			err = c.acknowledge(context.WithoutCancel(ctx), entry.ID)
		}
		if err != nil {
			c.owing = true
			return err
		}
	}
	return nil
}

func (c *consuming) acknowledge(ctx context.Context, id string) error {
	if err := c.Redis.XAck(ctx, c.Stream, c.Group, id).Err(); err != nil {
		return err
	}
	c.since = id
	return nil
}

// handleOne returns nil when the entry is done.
func (c *consuming) handleOne(ctx context.Context, entry redis.XMessage) (err error) {
	if entry.Values == nil {
		c.Log.WarnContext(ctx, "live updates: the stream dropped an entry that nobody had handled", "stream", c.Stream, "id", entry.ID)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, handleWithin)
	defer cancel()
	err = protected(ctx, entry, c.handle)
	if errors.Is(err, ErrPoison) {
		c.Log.ErrorContext(ctx, "live updates: an entry makes no sense", "stream", c.Stream, "id", entry.ID, "error", err.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("entry %s: %w", entry.ID, err)
	}
	return nil
}

// leave takes this consumer out of the group, unless it owes entries, which are the others' then.
func (c *consuming) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lateBy)
	defer cancel()
	owed, err := c.Redis.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: c.Stream, Group: c.Group, Consumer: c.Name, Start: "-", End: "+", Count: 1,
	}).Result()
	if err == nil && len(owed) == 0 {
		_ = c.Redis.XGroupDelConsumer(ctx, c.Stream, c.Group, c.Name).Err() // or it is swept, some time
	}
}

// rest pauses after a failure, for longer each time.
func (c *consuming) rest(ctx context.Context) {
	const first, longest = 50 * time.Millisecond, 500 * time.Millisecond
	c.pause = min(max(first, 2*c.pause), longest)
	sleep(ctx, c.pause)
}

// protected makes a panic an error: one entry must not stop those behind it.
func protected(ctx context.Context, entry redis.XMessage, handle func(context.Context, string, map[string]any) error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("%w: panic: %v\n%s", ErrPoison, thrown, debug.Stack())
		}
	}()
	return handle(ctx, entry.ID, entry.Values)
}
