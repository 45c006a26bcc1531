package platform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
)

// noRedis is the URL of a port that refuses connections.
const noRedis = "redis://127.0.0.1:1"

// testConfig is a configuration without Redis, on free ports, that stops at once.
func testConfig() platform.Config {
	return platform.Config{
		Addr:      "127.0.0.1:0",
		AdminAddr: "127.0.0.1:0",
		RedisURL:  secret.New(noRedis),
		MaxBody:   1 << 20,
	}
}

// open opens a platform that the end of the test closes; the log is what it has said.
func open(t *testing.T, cfg platform.Config) (*platform.Platform, *logBook) {
	t.Helper()
	log := &logBook{}
	p, err := platform.Open(t.Context(), cfg, "bff-test", log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, log
}

// running is a platform that serves.
type running struct {
	public, admin string // addresses
	log           *logBook
	stop          context.CancelFunc
	ended         chan error
}

func serve(t *testing.T, cfg platform.Config, handler http.Handler, warmUps ...func(context.Context)) *running {
	t.Helper()
	p, log := open(t, cfg)
	for _, f := range warmUps {
		p.WarmUp(f)
	}
	p.Admin("/things", "what a part of the service says of itself", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "all is well")
	}))
	l, err := p.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{public: l.Addr(), admin: l.AdminAddr(), log: log, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- l.Serve(ctx, handler) }()
	t.Cleanup(func() {
		stop()
		r.wait(t)
	})
	return r
}

// wait waits for the end of Serve, which has to be a clean one.
func (r *running) wait(t *testing.T) {
	t.Helper()
	select {
	case err, first := <-r.ended:
		if first {
			close(r.ended)
		}
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Serve does not return")
	}
}

// get asks on a connection of its own.
func get(addr, path string) (*http.Response, string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get("http://" + addr + path)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// until asks until the answer is as wanted; the test's own timeout ends what never is.
func until(t *testing.T, wanted func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !wanted(); {
		if time.Now().After(limit) {
			t.Fatal("it does not happen")
		}
	}
}

func newListener(t *testing.T) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// freeAddr is an address that nobody listens on, at least for now.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// logBook is a log that can be read while it is written.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// entries returns the lines with the message.
func (l *logBook) entries(t *testing.T, message string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

func TestOpenRefusesAConfigurationThatIsWrong(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Addr = "nowhere"
	_, err := platform.Open(t.Context(), cfg, "bff-test", io.Discard)
	const want = `ADDR: "nowhere" is no address to listen on; wants host:port, such as 127.0.0.1:8080 or :8080`
	if err == nil || err.Error() != want {
		t.Errorf("Open: %v, want %s", err, want)
	}
}

func TestListenOpensBothListenersOrNone(t *testing.T) {
	t.Parallel()
	busy := newListener(t)
	cfg := testConfig()
	cfg.Addr, cfg.AdminAddr = freeAddr(t), busy
	p, _ := open(t, cfg)
	_, err := p.Listen(t.Context())
	want := "ADMIN_ADDR: cannot listen on " + busy + ": address already in use; set ADMIN_ADDR to another address"
	if err == nil || err.Error() != want {
		t.Errorf("Listen: %v, want %s", err, want)
	}
	if _, _, err := get(cfg.Addr, "/"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the public listener: %v, want that it is closed", err)
	}
}

func TestServeEndsWhenAListenerFails(t *testing.T) {
	t.Parallel()
	p, _ := open(t, testConfig())
	l, err := p.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := l.Serve(t.Context(), http.NotFoundHandler()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v, want that the listener is closed", err)
	}
}

func TestAServiceThatIsToldToStopBeforeItServesDoesNotBegin(t *testing.T) {
	t.Parallel()
	p, log := open(t, testConfig())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Serve(ctx, http.NotFoundHandler()); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if served := log.entries(t, "serving"); len(served) > 0 {
		t.Errorf("it served: %v", served)
	}
}
