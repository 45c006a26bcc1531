package mobile_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// callers are who asks. Each gets answers of his own.
var callers = []string{"ada", "bob", "eve"}

// world is bff-mobile over the platform's own transport, and all that it can reach.
type world struct {
	schedule

	bff       http.Handler
	platform  *platform.Platform
	transport *http.Transport
	attempts  *attempts
	backends  []*backend        // users, orders, analytics
	tokens    []string          // of the callers
	count     func(what string) // notes that something has happened
}

func newWorld(t *testing.T, s schedule, count func(what string)) *world {
	t.Helper()
	b := bff{key: newKey(t)}
	w := &world{schedule: s, count: count}
	names := map[string]string{} // by token
	for _, name := range callers {
		token := b.token(t, func(c jwt.MapClaims) {
			c["sub"], c["exp"] = name, time.Now().Add(time.Hour).Unix()
		})
		names[token] = name
		w.tokens = append(w.tokens, token)
	}
	own := func(path, token string) string { return valueFor(path, names[token]) }
	net := &network{hosts: map[string]*replica{}}
	cfg := config(t)
	cfg.Upstream = s.policy
	// Whose call it is, is known by who made it: nobody takes part in that of another.
	cfg.Upstream.Without = upstream.Layers{Cache: true, Coalesce: true}
	for _, service := range s.services {
		w.backends = append(w.backends, net.add(service, own))
	}
	cfg.Users, cfg.Orders, cfg.Analytics = w.backends[0].urls(t), w.backends[1].urls(t), w.backends[2].urls(t)
	set := keySet(t, b.key)
	net.add(scheduledService{name: "issuer", replicas: [][]phase{nil}}, func(path, _ string) string {
		if path == "/keys" {
			return set
		}
		return `{"issuer":"` + issuer + `","jwks_uri":"http://issuer1.test/keys"}`
	})
	cfg.Auth.InternalURL = "http://issuer1.test"
	w.open(t, net)
	w.bff = mobile.New(cfg, w.platform)
	return w
}

// open opens the platform, whose connections lead into the network.
func (w *world) open(t *testing.T, n *network) {
	t.Helper()
	p, err := platform.Open(t.Context(), platform.Config{
		Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", RedisURL: secret.New("redis://127.0.0.1:1"), MaxBody: 1 << 20,
		Telemetry: telemetry.Config{LogLevel: slog.LevelWarn},
	}, "bff-mobile", w.log(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	transport, ok := p.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("the platform's transport is a %T", p.Transport)
	}
	transport.DialContext = n.dial
	if w.maxConns > 0 {
		transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = w.maxConns, w.maxIdle
	}
	w.attempts = &attempts{RoundTripper: transport, count: w.count, made: map[string][]*attempt{}}
	p.Transport = w.attempts
	w.platform, w.transport = p, transport
}

// log is nowhere, unless somebody looks at this one schedule.
func (w *world) log(t *testing.T) io.Writer {
	t.Helper()
	if testing.Verbose() {
		return t.Output()
	}
	return io.Discard
}

func (n *network) add(s scheduledService, value func(path, token string) string) *backend {
	b := &backend{scheduledService: s, value: value, seen: map[string][]*exchange{}}
	for i, phases := range s.replicas {
		r := &replica{service: b, host: fmt.Sprintf("%s%d.test", s.name, i+1), phases: phases, wires: map[*wire]bool{}}
		b.replicas = append(b.replicas, r)
		n.hosts[r.host+":80"] = r
	}
	return b
}

func (b *backend) urls(t *testing.T) []*url.URL {
	t.Helper()
	var urls []string
	for _, r := range b.replicas {
		urls = append(urls, "http://"+r.host)
	}
	return upstreamtest.Replicas(t, urls...)
}

// valueFor is what the service that has the path knows of the user.
func valueFor(path, user string) string {
	switch path {
	case "/users/me":
		return `{"id":"` + user + `","name":"` + user + `","email":"x@example.com","preferences":{"theme":"dark"}}`
	case "/orders":
		order := `{"id":"ord_` + user + `","status":"placed","total":{"amount":21270,"currency":"EUR"},"items":[{"sku":"A","quantity":2}]}`
		return `{"orders":[` + order + `,` + order + `],"next":"c"}`
	default:
		return fmt.Sprintf(`{"window":"30d","totals":{"orders":%d,"spent":{"amount":182655,"currency":"EUR"}}}`, slices.Index(callers, user))
	}
}

// asked is a request for the dashboard and what came of it.
type asked struct {
	arrival

	id      string
	took    time.Duration
	left    bool // before the answer was there
	aborted bool // as net/http wants it when there is nobody to answer
	panic   any  // any other
	answer  *httptest.ResponseRecorder
}

// ask asks for the dashboard.
func (w *world) ask(ctx context.Context, id string, a arrival) (got asked) {
	got = asked{arrival: a, id: id, answer: httptest.NewRecorder()}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	if a.patience > 0 {
		impatience := time.AfterFunc(a.patience, leave)
		defer impatience.Stop()
	}
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/mobile/dashboard", http.NoBody)
	req.Header.Set("Authorization", "Bearer "+w.tokens[a.caller])
	req.Header.Set("X-Request-Id", id)
	begun := time.Now()
	defer func() {
		got.took, got.left = time.Since(begun), ctx.Err() != nil
		if thrown := recover(); thrown != nil {
			got.aborted = thrown == any(http.ErrAbortHandler)
			if !got.aborted {
				got.panic = thrown
			}
		}
	}()
	w.bff.ServeHTTP(got.answer, req)
	return got
}
