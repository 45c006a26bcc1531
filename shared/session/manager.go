package session

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"bff.internal/shared/auth"
)

// App is the web application whose users are kept signed in. All of it is required.
type App struct {
	// Name is the realm of the challenge that a request without a session gets, such as bff-web.
	Name string
	// External is the origin under which browsers know the application.
	External url.URL
	// Home is the path of its page: where a login leads that asks for nothing else, and where people are told in
	// words what went wrong, by the query parameter problem.
	Home string
	// Callback is the path at which Manager.Callback is served. It is registered at the provider, with External.
	Callback string
	// Fail answers a request with an error's problem.
	Fail func(http.ResponseWriter, *http.Request, error)
	// Ended is told about each session that ends before its time, by whoever ended it. It must not block for long;
	// ctx is that of the request. Nil tells nobody.
	Ended func(ctx context.Context, s Session)
}

// Deps is what a Manager works with.
type Deps struct {
	Redis redis.UniversalClient
	// Transport carries the calls to the provider.
	Transport http.RoundTripper
	Log       *slog.Logger
}

// Manager signs people in and out, and knows the sessions. It may be used concurrently.
type Manager struct {
	app      App
	cfg      Config
	logins   keyring
	store    store
	provider *provider
	log      *slog.Logger

	reads    singleflight.Group
	renewals singleflight.Group
	calls    *semaphore.Weighted // one of mostCalls is taken by each token call under way
}

// What keys are used for.
const (
	recordKeys = "records"
	loginKeys  = "logins"
)

// mostCalls is more than there will ever be at once.
const mostCalls = 1 << 40

// New returns a manager. Neither Redis nor the provider need be there yet. It panics when cfg is not valid. Run has
// to run while it is used.
func New(cfg Config, app App, deps Deps) *Manager {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	records, err := parseKeys(cfg.Keys, recordKeys)
	if err != nil {
		panic(err)
	}
	logins, err := parseKeys(cfg.Keys, loginKeys)
	if err != nil {
		panic(err)
	}
	callback := app.External
	callback.Path = app.Callback
	return &Manager{
		app: app, cfg: cfg, logins: logins, log: deps.Log, calls: semaphore.NewWeighted(mostCalls),
		store:    store{redis: deps.Redis, keys: records, idle: cfg.Idle},
		provider: newProvider(cfg, callback.String(), deps.Transport),
	}
}

// Run waits until ctx ends, and then for the token calls that are still under way: their new refresh tokens are good
// for nothing unless they are stored. The owner of the process runs it in a goroutine and waits for it, for as long as
// it can: a provider takes up to 10 s.
func (m *Manager) Run(ctx context.Context) error {
	<-ctx.Done()
	if err := m.calls.Acquire(context.WithoutCancel(ctx), mostCalls); err != nil {
		return err
	}
	m.calls.Release(mostCalls)
	return nil
}

// Session is who is signed in, as handlers see it.
type Session struct {
	// ID tells sessions apart. It is no secret: the cookie cannot be made from it.
	ID   string
	User User
	// ExpiresAt is when it ends if nothing more is asked for, EndsAt when it does at the latest.
	ExpiresAt, EndsAt time.Time
}

// User is a person, as the provider knows them.
type User struct {
	// ID is the subject of the provider's tokens.
	ID string
	// Name may be empty.
	Name string
}

type sessionKey struct{}

// From returns the session of a request that Require or Peek let pass; ok is false for any other.
func From(ctx context.Context) (s Session, ok bool) {
	s, ok = ctx.Value(sessionKey{}).(Session)
	return s, ok
}

func newSession(id string, r record, left time.Duration) Session {
	expires := time.Now().Add(left)
	if r.endsAt.Before(expires) {
		expires = r.endsAt
	}
	return Session{
		ID: id, User: User{ID: r.subject, Name: r.name},
		ExpiresAt: expires.UTC().Truncate(time.Second), EndsAt: r.endsAt.UTC().Truncate(time.Second),
	}
}

// caller is who a session's requests speak for.
func (m *Manager) caller(s saved) auth.Caller {
	return auth.Caller{
		Kind: auth.KindUser, ID: s.subject, ClientID: m.cfg.ClientID, Scopes: strings.Fields(s.scopes), Expires: s.expires.UTC(),
	}
}

// home is the URL of the application's page.
func (m *Manager) home() string {
	home := m.app.External
	home.Path = m.app.Home
	return home.String()
}
