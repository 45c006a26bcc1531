package realtime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/redis/go-redis/v9"

	"bff.internal/shared/problem"
	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
)

const (
	// remembered and rememberedFor bound what a socket that comes back is given of what it missed.
	remembered    = 100
	rememberedFor = 5 * time.Minute
	// positionFor is how long the numbering of a channel outlives its last message.
	positionFor = 24 * time.Hour
	// repeatedFor is how long the id of a message is known.
	repeatedFor = 15 * time.Minute
	// maxMessage bounds one message; the queue of a socket holds a few.
	maxMessage = 64 << 10
)

// ErrUnavailable is the problem of sockets and messages while the hub does not run, for instance because Redis
// has not answered since the start.
var ErrUnavailable = problem.New(http.StatusServiceUnavailable, "live_unavailable",
	"Live updates are not available at the moment. Please try again.").RetryAfter(retryAfter)

const retryAfter = 2 * time.Second

// Session is who opened a socket.
type Session struct {
	// User is whose messages the socket gets. It is never empty.
	User string
	// ID tells the sessions of one user apart. It goes to Redis, so it is never the cookie itself.
	ID string
	// Expires is when the session ends whatever happens; zero is never.
	Expires time.Time
}

// Options is what a hub needs; all of it but Draining is required.
type Options struct {
	// RedisURL and Redis lead to the same Redis: the library below brings a client of its own.
	RedisURL secret.String
	Redis    redis.UniversalClient

	Telemetry *telemetry.Telemetry

	// Origins are the pages that may open a socket, each exactly as browsers say it: scheme://host, with the
	// port unless it is the scheme's own.
	Origins []string
	// Fail answers with the problem that an error is.
	Fail func(http.ResponseWriter, *http.Request, error)
	// Session says who is behind a request, as the middleware before the hub has found out. No session is a 401.
	Session func(*http.Request) (Session, bool)
	// Alive reports whether a session still is one. It is asked about once a minute for every socket and given
	// 2 s. False ends the socket; an error, such as that of a store which is away, leaves it open.
	Alive func(context.Context, Session) (bool, error)

	// Draining, when it is closed, makes the hub send its sockets away and take no new ones; see Run.
	Draining <-chan struct{}
}

// Hub is the sockets of one process. All of it may be used concurrently.
type Hub struct {
	opts  Options
	alive struct{ every, within time.Duration }
	wait  time.Duration // of one read for sessions that end
	most  int           // sockets of one user

	live     atomic.Pointer[node] // nil while the hub does not run
	draining atomic.Bool
	users    counts
	ended    endings
}

// New returns a hub that does not run yet; until it does, it refuses sockets and messages with ErrUnavailable.
// It panics if the Options lack what is required.
func New(opts Options) *Hub {
	if opts.RedisURL.IsZero() || opts.Redis == nil || opts.Telemetry == nil || len(opts.Origins) == 0 ||
		opts.Fail == nil || opts.Session == nil || opts.Alive == nil {
		panic("realtime: incomplete Options")
	}
	opts.Origins = slices.Clone(opts.Origins)
	h := &Hub{opts: opts, most: socketsPerUser, wait: waitFor}
	h.alive.every, h.alive.within = time.Minute, 2*time.Second
	return h
}

// Publish sends data, which is JSON of at most 64 KiB, to every socket of the user on every replica, and keeps
// it for those that come back. A message whose id was published for this user before, by whichever replica, is
// not sent again (for 15 minutes): so Publish may be repeated until it succeeds. It takes up to about 1.5 s
// when Redis hangs, even if ctx ends earlier. The error is ErrUnavailable while the hub does not run.
func (h *Hub) Publish(ctx context.Context, user, id string, data []byte) error {
	if user == "" || id == "" {
		return errors.New("a message needs a user and an id")
	}
	if len(data) > maxMessage {
		return fmt.Errorf("a message of %d bytes is too large", len(data))
	}
	// The protocol separates messages by line breaks.
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		return errors.New("a message that is not JSON")
	}
	n := h.live.Load()
	if n == nil {
		return ErrUnavailable
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := n.centrifuge.Publish(personal(user), line.Bytes(),
		centrifuge.WithHistory(remembered, rememberedFor, positionFor),
		centrifuge.WithIdempotencyKey(id),
		centrifuge.WithIdempotentResultTTL(repeatedFor))
	return err
}

// personal is the channel of a user.
func personal(user string) string { return "personal:#" + user }
