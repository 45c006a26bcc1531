package ratelimit

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/telemetry"
)

// Options is what a Limiter needs. All of it is required.
type Options struct {
	// Name tells limits apart, in headers, metrics, the log and Redis: lower-case letters, digits and hyphens.
	// Limiters with the same name and Redis share their buckets, as those of all replicas do.
	Name  string
	Limit Limit
	Redis redis.UniversalClient
	// Replicas is how many processes share the limit while Redis is away; what is below one is one. It must not block.
	Replicas func() int
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
}

// Limiter decides whether a caller may make one more request.
type Limiter struct {
	opts   Options
	whole  bucketSize // of the bucket in Redis
	policy string
	args   []any

	within     time.Duration
	reach      reach
	local      *table
	complaints seldom
}

// New returns a limiter, which has nothing to close. It panics if the limit is none that a Config would let pass, or
// something is missing.
func New(o Options) *Limiter {
	if err := (Config{Rate: Rate{Requests: o.Limit.Requests, Per: o.Limit.Per}, Burst: o.Limit.Burst}).Validate(); err != nil {
		panic("ratelimit: " + err.Error())
	}
	isNoName := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	if o.Name == "" || strings.ContainsFunc(o.Name, isNoName) {
		panic("ratelimit: " + o.Name + " is no name")
	}
	if o.Redis == nil || o.Replicas == nil || o.Log == nil || o.Metrics == nil {
		panic("ratelimit: incomplete Options")
	}
	whole := o.Limit.share(1)
	return &Limiter{
		opts:       o,
		whole:      whole,
		policy:     whole.policy(o.Name),
		args:       []any{whole.unit, whole.refill, whole.capacity},
		within:     redisWithin,
		local:      newTable(),
		complaints: seldom{every: time.Minute},
	}
}

// decision is what became of a request.
type decision struct {
	allowed bool
	// remaining is how many more requests could be made now.
	remaining int64
	// next is how long it takes until there is one more.
	next time.Duration
	// policy is the limit that was applied, as RateLimit-Policy says it.
	policy string
	// where is "redis" or "local".
	where string
}

// callerID is what a caller is known by: as short for all, and nothing that anybody could choose.
type callerID [sha256.Size]byte

// decide counts a request of the caller. The error is that of ctx, which ended before Redis answered.
func (l *Limiter) decide(ctx context.Context, caller string) (decision, error) {
	if err := ctx.Err(); err != nil {
		return decision{}, err
	}
	id, asked := callerID(sha256.Sum256([]byte(caller))), time.Now()
	known, ask := l.reach.redis(asked)
	if !ask {
		return l.decideHere(id), nil
	}
	var owed int64
	if known { // else the answer may not come, and nobody knows whether it was charged
		owed = l.local.settle(id, l.share(), asked)
	}
	d, err := l.ask(ctx, id, owed)
	if err == nil {
		l.reach.answered()
		return d, nil
	}
	ended, now := ctx.Err(), time.Now()
	l.local.owe(id, owed, l.share(), now) // it may have been charged; a doubt is never in favour of the caller
	if isOutage(err, ended, now.Sub(asked)) {
		l.reach.failed(now)
		l.complain(ctx, err, now)
	}
	if ended != nil {
		return decision{}, ended
	}
	return l.decideHere(id), nil
}

// fairChance is what Redis has to have had before a request that runs out of time while it asks counts as a failure of
// Redis: not every client that leaves is one, nor a request that had spent its time before, and a Redis that is frozen
// must not be taken for impatient clients either.
const fairChance = 50 * time.Millisecond

// isOutage reports whether an error of Redis is its own. That all of our connections are busy is not.
func isOutage(err, ended error, waited time.Duration) bool {
	switch {
	case errors.Is(err, redis.ErrPoolTimeout):
		return false
	case ended != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return waited >= fairChance
	default:
		return true
	}
}

// decideHere counts a request in the caller's bucket of this process.
func (l *Limiter) decideHere(id callerID) decision {
	size := l.share()
	allowed, level := l.local.take(id, size, time.Now())
	return size.decision(allowed, level, size.policy(l.opts.Name), "local")
}

// share is what this replica gives a caller while Redis is away.
func (l *Limiter) share() bucketSize { return l.opts.Limit.share(l.opts.Replicas()) }

func (l *Limiter) complain(ctx context.Context, err error, now time.Time) {
	if l.complaints.due(now) {
		l.opts.Log.WarnContext(ctx, "rate limit: redis fails, this process decides",
			"limit", l.opts.Name, "replicas", l.opts.Replicas(), "error", err.Error())
	}
}
