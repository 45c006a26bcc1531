package realtime_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"bff.internal/shared/problem"
	"bff.internal/shared/realtime"
	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
)

// TestMain gives the library below the seconds that it takes to end all it has begun.
func TestMain(m *testing.M) {
	redis.SetLogger(&logging.VoidLogger{})
	code := m.Run()
	leaked := goleak.Find()
	for end := time.Now().Add(within); leaked != nil && time.Now().Before(end); {
		leaked = goleak.Find()
	}
	if code == 0 && leaked != nil {
		fmt.Fprintln(os.Stderr, leaked)
		code = 1
	}
	os.Exit(code)
}

// page is where a browser comes from.
const page = "https://shop.example"

// replica is a hub behind a server.
type replica struct {
	hub  *realtime.Hub
	addr string
	log  *lines
	stop func() // and wait
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// prepared is a replica whose hub does not run yet. The session of a request is what its headers say.
func prepared(tb testing.TB, redisAddr string, change ...func(*realtime.Options)) *replica {
	tb.Helper()
	r := &replica{log: &lines{}}
	tel, err := telemetry.Open(tb.Context(), telemetry.Config{}, "test", r.log)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Log(r.log)
		}
	})
	client := redisClient(redisAddr)
	tb.Cleanup(func() { _ = client.Close() })
	options := realtime.Options{
		RedisURL:  secret.New("redis://" + redisAddr),
		Redis:     client,
		Telemetry: tel,
		Origins:   []string{page, "http://localhost:8080"},
		Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
			if err := problem.From(err).Write(w); err != nil {
				tb.Error(err)
			}
		},
		Session: func(r *http.Request) (realtime.Session, bool) {
			user := r.Header.Get("X-User")
			s := realtime.Session{User: user, ID: r.Header.Get("X-Session")}
			if in, err := time.ParseDuration(r.Header.Get("X-Expires")); err == nil {
				s.Expires = time.Now().Add(in)
			}
			return s, user != ""
		},
		Alive: func(context.Context, realtime.Session) (bool, error) { return true, nil },
	}
	for _, c := range change {
		c(&options)
	}
	r.hub = realtime.New(options)
	r.hub.StopSoon()
	server := httptest.NewServer(r.hub)
	tb.Cleanup(server.Close)
	r.addr = strings.TrimPrefix(server.URL, "http://")
	r.stop = func() {}
	return r
}

func redisClient(addr string) redis.UniversalClient {
	return redis.NewClient(&redis.Options{
		Addr: addr, Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
		// More than the platform's 100 ms, for a machine that is busy with tests.
		DialTimeout: 500 * time.Millisecond, ReadTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond,
	})
}

// run starts the hub.
func (r *replica) run(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.hub.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(r.stop)
}

// serve returns a replica that takes sockets.
func serve(tb testing.TB, redisAddr string, change ...func(*realtime.Options)) *replica {
	tb.Helper()
	r := prepared(tb, redisAddr, change...)
	r.run(tb)
	eventually(tb, "the hub runs", r.hub.Running)
	return r
}

// eventually waits until it is so.
func eventually(tb testing.TB, what string, isSo func() bool) {
	tb.Helper()
	for end := time.Now().Add(within); !isSo(); {
		if time.Now().After(end) {
			tb.Fatalf("%s: not within %v", what, within)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func publish(tb testing.TB, r *replica, user, id, data string) {
	tb.Helper()
	if err := r.hub.Publish(tb.Context(), user, id, []byte(data)); err != nil {
		tb.Fatal(err)
	}
}

func TestAMessageReachesEverySocketOfItsUserOnce(t *testing.T) {
	t.Parallel()
	r := serve(t, miniredis.RunT(t).Addr())
	one, hello := connected(t, r.addr, "")
	two, _ := connected(t, r.addr, "", "X-Session: s2")
	other, _ := connected(t, r.addr, "", "X-User: grace")
	if hello.Connect.Ping != 25 || len(hello.Connect.Subs) != 1 {
		t.Errorf("connected with %+v", hello.Connect)
	}
	publish(t, r, "ada", "1", "{\n\"n\": 1}")
	publish(t, r, "ada", "1", `{"n":1}`)
	publish(t, r, "grace", "1", `{"for":"grace"}`)
	publish(t, r, "ada", "2", `{"n":2}`)
	for _, b := range []*browser{one, two} {
		if first, second := b.push(t), b.push(t); first != `{"n":1}` || second != `{"n":2}` {
			t.Errorf("got %s, %s", first, second)
		}
	}
	if got := other.push(t); got != `{"for":"grace"}` {
		t.Errorf("somebody else got %s", got)
	}
}
