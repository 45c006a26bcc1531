package ratelimit

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// beatEvery is how often a replica says that it is there.
	beatEvery = 2 * time.Second
	// silentFor is after how long it is taken for dead: three beats.
	silentFor = 3 * beatEvery
	// replicasKept is how long the set outlives the last beat of all.
	replicasKept = 10 * time.Second
)

// Replicas counts the processes that share a limit, by a set in Redis in which each of them says every two seconds that
// it is there.
type Replicas struct {
	redis redis.UniversalClient
	key   string
	id    string
	log   *slog.Logger

	within time.Duration
	count  atomic.Int64
}

// NewReplicas returns the replicas of the named service, of which this process is one as soon as Run runs.
func NewReplicas(client redis.UniversalClient, service string, log *slog.Logger) *Replicas {
	r := &Replicas{redis: client, key: "replicas:{" + service + "}", id: rand.Text(), log: log, within: redisWithin}
	r.count.Store(1)
	return r
}

// Count is how many replicas there were at the last beat, this one included; 1 before the first. It stays what it was
// while Redis is away. A replica that stops is missing from it within about two seconds, one that dies after about eight,
// and for eight after an outage none is.
func (r *Replicas) Count() int { return int(r.count.Load()) }

// Run says that this replica is there until ctx ends, and then that it is not; it takes up to 120 ms to return. The
// error is always nil: while Redis is away it tries on, and says so in the log once a minute.
func (r *Replicas) Run(ctx context.Context) error {
	defer r.leave(context.WithoutCancel(ctx))
	again := time.NewTicker(beatEvery)
	defer again.Stop()
	log := seldom{every: time.Minute}
	first := true
	var unsure time.Time // until then others may not have said again that they are there
	for {
		count, known, err := r.beat(ctx)
		if ctx.Err() != nil {
			return nil
		}
		now := time.Now()
		if err != nil || (!known && !first) {
			unsure = now.Add(silentFor + beatEvery)
		}
		switch {
		case err == nil && now.Before(unsure):
			r.count.Store(max(count, r.count.Load()))
			first = false
		case err == nil:
			r.count.Store(max(count, 1))
			first = false
		case log.due(now):
			r.log.WarnContext(ctx, "rate limit: replicas cannot be counted", "replicas", r.Count(), "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

// beatScript adds ARGV[1] to the set KEYS[1] and drops who has been silent for ARGV[2] microseconds, or said something in
// the future: then the clock went back, and whoever is alive says it again. It returns how many there are, and how many
// of them are new.
//
//nolint:gochecknoglobals // read-only
var beatScript = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local new = redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {redis.call('ZCARD', KEYS[1]), new}`)

// beat says that this replica is there. It was known unless the set has lost it.
func (r *Replicas) beat(ctx context.Context) (count int64, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.within)
	defer cancel()
	answer, err := beatScript.Run(ctx, r.redis, []string{r.key}, r.id, silentFor.Microseconds(), replicasKept.Milliseconds()).Int64Slice()
	if err != nil {
		return 0, false, err
	}
	if len(answer) != 2 {
		return 0, false, errors.New("redis does not answer two numbers")
	}
	return answer[0], answer[1] == 0, nil
}

// leave says that this replica is there no more. Should that fail, its silence says so.
func (r *Replicas) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.within)
	defer cancel()
	_ = r.redis.ZRem(ctx, r.key, r.id).Err()
}
