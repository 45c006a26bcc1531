package e2e_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bff.internal/devstack/stack"
	"bff.internal/shared/platform/redistest"
	"bff.internal/shared/secret"
)

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes a piece of the log.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// count counts the lines that hold all the parts.
func (l *lines) count(parts ...string) int {
	l.mu.Lock()
	text := l.buf.String()
	l.mu.Unlock()
	count := 0
	for line := range strings.Lines(text) {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			count++
		}
	}
	return count
}

// signedIn returns the headers of a page of bff-web after its user has signed in.
func (s *suite) signedIn(t *testing.T, user string) http.Header {
	t.Helper()
	cookie, err := s.SignIn(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Cookie": {cookie}, "X-Csrf": {"1"}}
}

func TestTwoHundredRequestsWithAnExpiredTokenAreOneTokenCall(t *testing.T) { //nolint:paralleltest // it takes every core
	log := &lines{}
	cfg := stack.FreePorts()
	cfg.Log, cfg.LogLevel, cfg.AccessTokenLifetime = log, slog.LevelDebug, 2*time.Second
	cfg.RedisURL = secret.New(redistest.Start(t).URL())
	s := startWith(t, cfg)
	page := s.signedIn(t, "ada")
	tokenCalls := func() int { return log.count(`"service":"identity"`, `"path":"/oauth/token"`, `"client":"bff-web"`) }
	if got := s.as(t, http.MethodGet, s.Edge+"/web/dashboard", page.Clone(), ""); got.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", got.Status, got.body) // it also lets the services learn the provider's keys
	}
	if calls := tokenCalls(); calls != 1 {
		t.Fatalf("%d token calls for a login", calls)
	}
	<-time.After(cfg.AccessTokenLifetime)

	s.fault(t, s.Identity, `{"latency":"1500ms"}`) // so that all of them come meanwhile
	var all sync.WaitGroup
	var late atomic.Int64
	for i := range 200 {
		all.Go(func() {
			<-time.After(time.Duration(i) * 3 * time.Millisecond) // clients and servers share this machine
			switch got := s.as(t, http.MethodGet, s.Edge+"/web/dashboard", page.Clone(), ""); {
			case got.StatusCode == http.StatusOK:
			case slices.Contains([]string{"timeout", "unreachable", "unavailable", "overloaded"}, got.code(t)):
				late.Add(1) // six hundred calls of the services at the same moment, on a busy machine
			default:
				t.Errorf("%s %s", got.Status, got.body)
			}
		})
	}
	all.Wait()
	if calls := tokenCalls(); calls != 2 {
		t.Errorf("%d token calls, want one for the login and one for all requests", calls)
	}
	t.Logf("the services were too slow for %d of 200 dashboards", late.Load())
	s.fault(t, s.Identity, "")
	<-time.After(cfg.AccessTokenLifetime)
	for deadline := time.Now().Add(20 * time.Second); ; { // until circuits are closed again
		got := s.as(t, http.MethodGet, s.Edge+"/web/dashboard", page.Clone(), "")
		if got.StatusCode == http.StatusOK {
			break
		}
		if got.StatusCode == http.StatusUnauthorized || time.Now().After(deadline) {
			t.Fatalf("with the next token: %s %s", got.Status, got.body)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func TestRedisStoppedAndStartedUnderLoadSignsNobodyOut(t *testing.T) { //nolint:paralleltest // it takes every core
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	cfg := stack.FreePorts()
	cfg.RedisURL = secret.New(redis.URL())
	s := startWith(t, cfg)
	var people []http.Header
	for _, user := range []string{"ada", "grace", "u-1", "u-2"} {
		people = append(people, s.signedIn(t, user))
	}
	socket := s.openSocket(t, people[0].Get("Cookie"))

	asking := s.load(t, people)
	asking.until(t, "200", func(l *load) bool { return l.answers[http.StatusOK] > 200 })
	redis.Stop()
	asking.until(t, "503", func(l *load) bool { return l.answers[http.StatusServiceUnavailable] > 200 })
	redis.Restart()
	back := time.Now()
	whole := asking.mark()
	asking.until(t, "200 again", func(l *load) bool { return l.answers[http.StatusOK] > whole+200 })
	asking.stop()

	t.Logf("answers: %v; the slowest of the 503 after %v, the last of them %v after Redis was back",
		asking.answers, asking.slowest, asking.last503.Sub(back))
	for status := range asking.answers {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("%d times %d", asking.answers[status], status)
		}
	}
	for i, page := range people {
		if got := s.as(t, http.MethodGet, s.Edge+"/web/session", page.Clone(), ""); got.StatusCode != http.StatusOK {
			t.Errorf("person %d afterwards: %s %s", i, got.Status, got.body)
		}
	}
	id := s.placeOrder(t)
	if message := socket.next(t); !strings.Contains(message, id) {
		t.Errorf("the socket that was open all the time says %s", message)
	}
}

// load is people who ask for their dashboards all the time, and what they are answered.
type load struct {
	cancel  context.CancelFunc
	callers sync.WaitGroup

	changed chan struct{} // holds a token when there is something new to look at

	mu      sync.Mutex
	answers map[int]int
	slowest time.Duration // of the 503
	last503 time.Time
}

func (s *suite) load(t *testing.T, people []http.Header) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{cancel: cancel, changed: make(chan struct{}, 1), answers: map[int]int{}}
	for _, page := range people {
		for range 2 {
			l.callers.Go(func() {
				for ctx.Err() == nil {
					l.take(t, s.as(t, http.MethodGet, s.Edge+"/web/dashboard", page.Clone(), ""))
				}
			})
		}
	}
	return l
}

func (l *load) take(t *testing.T, got answer) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
	l.answers[got.StatusCode]++
	if got.StatusCode != http.StatusServiceUnavailable {
		return
	}
	l.slowest, l.last503 = max(l.slowest, got.took), time.Now()
	if got.Header.Get("Retry-After") == "" || got.Header.Get("Set-Cookie") != "" || got.code(t) != "session_unavailable" {
		t.Errorf("503 with %v: %s", got.Header, got.body)
	}
}

// mark is how many were answered with 200 so far.
func (l *load) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers[http.StatusOK]
}

// until waits until there were enough answers.
func (l *load) until(t *testing.T, what string, enough func(*load) bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		l.mu.Lock()
		done := enough(l)
		l.mu.Unlock()
		if done {
			return
		}
		select {
		case <-l.changed:
		case <-deadline:
			l.stop()
			t.Fatalf("never enough %s: %v", what, l.answers)
		}
	}
}

func (l *load) stop() {
	l.cancel()
	l.callers.Wait()
}
