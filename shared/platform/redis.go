package platform

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"bff.internal/shared/secret"
)

// greetWithin bounds the greeting at the start.
const greetWithin = 120 * time.Millisecond

// tunedRedis is how this suite talks to any Redis. The defaults of go-redis wait seconds for a Redis that
// is away, and send a command again whose first attempt may have counted.
func tunedRedis() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		ContextTimeoutEnabled: true,
		MaxRetries:            -1,
		DialerRetries:         1,
		DialTimeout:           100 * time.Millisecond,
		ReadTimeout:           100 * time.Millisecond,
		WriteTimeout:          100 * time.Millisecond,
		PoolTimeout:           50 * time.Millisecond,

		// A command takes well below a millisecond, so this carries tens of thousands a second; the default
		// follows the number of CPUs, and what Redis has to hold should not.
		PoolSize: 32,
		// Pipelines share that pool instead of keeping ten more connections.
		PipelinePoolSize: -1,

		// One answer of MOVED and one of ASK. A cluster client also repeats a command whose connection
		// broke, as often as this; it cannot be told not to.
		MaxRedirects: 2,

		// Nothing here needs RESP3, and without it no answer has to be searched for push frames. A new
		// connection then costs one round trip, HELLO, instead of three: no CLIENT SETINFO, and no CLIENT
		// MAINT_NOTIFICATIONS, which only Redis Enterprise knows.
		Protocol:                 2,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// OpenRedis returns a client of the Redis that a REDIS_URL names, for commands that need nothing else of a platform. It
// connects when it is used; the caller closes it. The error says what is wrong with the URL and quotes nothing of it.
func OpenRedis(url secret.String) (redis.UniversalClient, error) {
	options, err := redisOptions(url.Reveal())
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	return redis.NewUniversalClient(options), nil
}

// greetRedis says in the log when Redis does not answer at the start. That is no reason not to start: what
// needs Redis says so request by request, and Redis may come back.
func (p *Platform) greetRedis(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, greetWithin)
	defer cancel()
	if err := p.Redis.Ping(ctx).Err(); err != nil {
		p.Telemetry.Log.WarnContext(ctx, "redis does not answer", "error", err.Error())
	}
}
