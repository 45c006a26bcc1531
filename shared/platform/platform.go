package platform

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
)

const (
	// workStopsWithin bounds the wait for background work after its context has been cancelled.
	workStopsWithin = 5 * time.Second
	// flushWithin bounds the sending of the last traces.
	flushWithin = 3 * time.Second
)

// Platform is what all parts of one service share. All of it may be used concurrently, until Close.
type Platform struct {
	Telemetry *telemetry.Telemetry
	// Transport carries every call to other services.
	Transport http.RoundTripper
	// Redis is single, sentinel or cluster, as REDIS_URL says. A command that Redis does not answer fails
	// within about 100 ms, or at its context's deadline.
	Redis redis.UniversalClient
	// RedisURL leads to the same Redis, for libraries that bring their own client.
	RedisURL secret.String
	// Draining is closed when the service is told to stop, while it still serves: time to send away whoever would
	// stay, such as open sockets.
	Draining <-chan struct{}

	cfg            Config
	drain          func()
	closeTransport func()
	warmUps        []func(ctx context.Context)
	adminPages     []adminPage
	work           *work
	closePlatform  sync.Once
}

// Open opens the platform of the named service; its log goes to log, a JSON line an event. Redis need not
// answer yet: a warning in the log says so when it does not. The caller closes the platform, which goes on
// when ctx ends.
func Open(ctx context.Context, cfg Config, service string, log io.Writer) (*Platform, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	client, err := OpenRedis(cfg.RedisURL)
	if err != nil {
		return nil, err
	}
	t, err := telemetry.Open(ctx, cfg.Telemetry, service, log)
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	transport, draining := newTransport(), make(chan struct{})
	p := &Platform{
		Telemetry:      t,
		Transport:      transport,
		Redis:          client,
		RedisURL:       cfg.RedisURL,
		Draining:       draining,
		cfg:            cfg,
		drain:          sync.OnceFunc(func() { close(draining) }),
		closeTransport: transport.CloseIdleConnections,
		work:           newWork(t.Log),
	}
	p.greetRedis(ctx)
	return p, nil
}

// Go runs f in the background until it returns nil or the platform is closed; the name is for the log.
// Close cancels ctx and waits for f. An f that returns an error or panics is logged and called again, after
// a second at first and after twice as long each further time, up to 30 s; when it has run for a minute,
// after a second again. After Close, Go does nothing.
func (p *Platform) Go(name string, f func(ctx context.Context) error) { p.work.start(name, f) }

// WarmUp delays readiness until f returns: what would make the first requests wait. Serve calls f, whose context ends
// after five seconds at the latest; requests that come all the same are served. WarmUp is called before Serve.
func (p *Platform) WarmUp(f func(ctx context.Context)) { p.warmUps = append(p.warmUps, f) }

// Admin makes the handler answer GET at the path on the admin listener, whose contents say about that it is. Admin is
// called before Serve.
func (p *Platform) Admin(path, about string, handler http.Handler) {
	p.adminPages = append(p.adminPages, adminPage{path, about, handler})
}

// Close stops the background work, sends the last traces and closes Redis and idle connections. It takes
// at most about 8 s, logs what did not go well, and does nothing the second time.
func (p *Platform) Close() { p.closePlatform.Do(p.close) }

func (p *Platform) close() {
	p.drain()
	ctx, cancel := context.WithTimeout(context.Background(), workStopsWithin)
	defer cancel()
	p.work.stop(ctx)

	ctx, cancel = context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	if err := p.Telemetry.Close(ctx); err != nil {
		p.Telemetry.Log.WarnContext(ctx, "traces not sent", "error", err.Error())
	}
	if err := p.Redis.Close(); err != nil {
		p.Telemetry.Log.WarnContext(ctx, "redis not closed", "error", err.Error())
	}
	p.closeTransport()
}
