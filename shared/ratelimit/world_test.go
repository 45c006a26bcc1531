package ratelimit_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/problem"
	"bff.internal/shared/ratelimit"
	"bff.internal/shared/telemetry"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// A pool of go-redis that could not dial looks once a second whether it was closed.
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// usual is a limit of ten requests a second.
func usual() ratelimit.Limit { return ratelimit.Limit{Requests: 600, Per: time.Minute, Burst: 100} }

// epoch is where clocks of tests begin, and those of bubbles.
func epoch() time.Time { return time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC) }

// newRedis starts a Redis in the process, whose clock stands still.
func newRedis(tb testing.TB) *miniredis.Miniredis {
	tb.Helper()
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(server.Close)
	server.SetTime(epoch())
	return server
}

// connect returns a client that has time.
func connect(tb testing.TB, addr string) redis.UniversalClient {
	tb.Helper()
	client := redis.NewUniversalClient(patient(addr))
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

func patient(addr string) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs: []string{addr}, Protocol: 2, DisableIdentity: true, MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute, PoolTimeout: time.Minute, PoolSize: 32,
	}
}

// tuned returns a client as services have it.
func tuned(tb testing.TB, addr string) redis.UniversalClient {
	tb.Helper()
	return platformtest.WithRedis(tb, http.DefaultTransport, "redis://"+addr).Redis
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write adds to the log.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// count is how many lines there are.
func (l *lines) count() int { return strings.Count(l.String(), "\n") }

// String is what was written.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// replica is a service with a limit. A caller is what the header X-Caller says.
type replica struct {
	http.Handler

	limiter *ratelimit.Limiter
	metrics *telemetry.Metrics
	log     *lines
}

// newReplica returns one of two replicas, unless that is changed, which has time for Redis.
func newReplica(tb testing.TB, client redis.UniversalClient, limit ratelimit.Limit, change ...func(*ratelimit.Options)) *replica {
	tb.Helper()
	r := newHasty(tb, client, limit, change...)
	r.limiter.Patient()
	return r
}

// newHasty returns a replica as services are.
func newHasty(tb testing.TB, client redis.UniversalClient, limit ratelimit.Limit, change ...func(*ratelimit.Options)) *replica {
	tb.Helper()
	r := &replica{log: &lines{}}
	tel, err := telemetry.Open(tb.Context(), telemetry.Config{}, "test", r.log)
	if err != nil {
		tb.Fatal(err)
	}
	options := ratelimit.Options{
		Name: "partner", Limit: limit, Redis: client, Replicas: func() int { return 2 }, Log: tel.Log, Metrics: tel.Metrics,
	}
	for _, c := range change {
		c(&options)
	}
	r.metrics, r.limiter = options.Metrics, ratelimit.New(options)
	key := func(req *http.Request) string { return req.Header.Get("X-Caller") }
	r.Handler = r.limiter.Middleware(key, fail)(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/missing" {
			fail(w, req, problem.New(http.StatusNotFound, "not_found", ""))
		}
	}))
	return r
}

func fail(w http.ResponseWriter, _ *http.Request, err error) { _ = problem.From(err).Write(w) }

func replicas(n int) func(*ratelimit.Options) {
	return func(o *ratelimit.Options) { o.Replicas = func() int { return n } }
}

// answer is what a caller sees.
type answer struct {
	Status                int
	Policy, Limit, Retry  string
	Type, Code, MediaType string
}

// ask makes a request.
func (r *replica) ask(tb testing.TB, caller string) answer {
	tb.Helper()
	return r.do(tb.Context(), caller, "/").answer(tb)
}

// allows makes a request and reports whether it was allowed.
func (r *replica) allows(tb testing.TB, caller string) bool {
	tb.Helper()
	return r.do(tb.Context(), caller, "/").Code == http.StatusOK
}

// drain makes requests until one is refused, and returns how many were not.
func (r *replica) drain(tb testing.TB, caller string) (admitted int) {
	tb.Helper()
	for r.allows(tb, caller) {
		if admitted++; admitted > 10_000 {
			tb.Fatal("nothing is ever refused")
		}
	}
	return admitted
}

type recorded struct{ *httptest.ResponseRecorder }

func (r *replica) do(ctx context.Context, caller, path string) recorded {
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	req.Header.Set("X-Caller", caller)
	rec := httptest.NewRecorder()
	r.ServeHTTP(rec, req)
	return recorded{rec}
}

var member = regexp.MustCompile(`"(type|code)":"([^"]*)"`)

func (rec recorded) answer(tb testing.TB) answer {
	tb.Helper()
	h := rec.Header()
	for _, name := range []string{"RateLimit", "RateLimit-Policy", "Retry-After"} {
		if len(h.Values(name)) > 1 {
			tb.Errorf("%s is there %d times", name, len(h.Values(name)))
		}
	}
	a := answer{Status: rec.Code, Policy: h.Get("RateLimit-Policy"), Limit: h.Get("RateLimit"), Retry: h.Get("Retry-After"), MediaType: h.Get("Content-Type")}
	for _, m := range member.FindAllStringSubmatch(rec.Body.String(), -1) {
		if m[1] == "type" {
			a.Type = m[2]
		} else {
			a.Code = m[2]
		}
	}
	return a
}

// remaining is r of RateLimit.
func (a answer) remaining(tb testing.TB) int { tb.Helper(); return a.number(tb, `;r=(\d+)`) }

// next is t of RateLimit.
func (a answer) next(tb testing.TB) int { tb.Helper(); return a.number(tb, `;t=(\d+)$`) }

func (a answer) number(tb testing.TB, pattern string) int {
	tb.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(a.Limit)
	if found == nil {
		tb.Fatalf("RateLimit: %s", a.Limit)
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// byRedis reports whether Redis decided: of two replicas each gives half of the burst by itself.
func (a answer) byRedis() bool { return strings.Contains(a.Policy, ";q=100;") }

// decisions is what the metrics say of the limit "partner".
func (r *replica) decisions(tb testing.TB) map[string]int {
	tb.Helper()
	rec := httptest.NewRecorder()
	r.metrics.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/", http.NoBody))
	counted := map[string]int{}
	line := regexp.MustCompile(`rate_limit_decisions_total\{decision="(\w+)",limit="partner",where="(\w+)"\} (\S+)`)
	for _, m := range line.FindAllStringSubmatch(rec.Body.String(), -1) {
		n, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			tb.Fatal(err)
		}
		counted[m[1]+" by "+m[2]] = int(n)
	}
	return counted
}

// until polls.
func until(tb testing.TB, what string, within time.Duration, done func() bool) (took time.Duration) {
	tb.Helper()
	began, again := time.Now(), time.NewTicker(2*time.Millisecond)
	defer again.Stop()
	for !done() {
		if time.Since(began) > 4*within {
			tb.Fatalf("%s: not within %v", what, 4*within)
		}
		<-again.C
	}
	took = time.Since(began)
	if took > within {
		tb.Errorf("%s: after %v, want %v", what, took, within)
	}
	return took
}
