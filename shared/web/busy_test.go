package web_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/overload"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

// busy is an edge with a route that stays in flight until it is released or the client leaves.
type busy struct {
	edge

	telemetry       *telemetry.Telemetry
	entered, ended  chan struct{}
	release, failed chan struct{}
}

// newBusy has room for so many requests.
func newBusy(t *testing.T, most int) *busy {
	t.Helper()
	b := &busy{
		edge: edge{log: &lines{}}, entered: make(chan struct{}, 8), ended: make(chan struct{}, 8),
		release: make(chan struct{}), failed: make(chan struct{}),
	}
	var err error
	if b.telemetry, err = telemetry.Open(t.Context(), telemetry.Config{}, "test", b.log); err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{
		ExternalURL: url.URL{Scheme: "http", Host: "localhost:8080"}, MaxBody: maxBody,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Overload:       overload.Config{MaxInFlight: most},
	}, b.telemetry)
	s.GET("/held", b.hold)
	s.GET("/user/held", b.hold, b.authenticate)
	s.GET("/quick", ok)
	s.POST("/quick", ok)
	s.POST("/end", ok).NeverShed()
	s.GETOnly("/socket", b.socket)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	b.url, b.addr = server.URL, strings.TrimPrefix(server.URL, "http://")
	return b
}

func ok(c echo.Context) error { return c.String(http.StatusOK, "ok") }

func (b *busy) hold(c echo.Context) error {
	defer func() { b.ended <- struct{}{} }()
	b.entered <- struct{}{}
	select {
	case <-b.release:
		return c.String(http.StatusOK, "ok")
	case <-b.failed:
		panic("boom")
	case <-c.Request().Context().Done():
		return c.Request().Context().Err()
	}
}

// authenticate believes whoever says who they are.
func (b *busy) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "-")
		telemetry.EventFrom(r.Context()).SetCaller(telemetry.Caller{Kind: "user", ID: name})
		next.ServeHTTP(w, r)
	})
}

// socket takes the connection over and stays on it.
func (b *busy) socket(c echo.Context) error {
	conn, _, err := http.NewResponseController(c.Response()).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n")
	b.entered <- struct{}{}
	<-b.release
	return err
}

// start makes a request and does not wait for its answer. Closing what it returns makes the client leave.
func (b *busy) start(t *testing.T, raw string) (conn net.Conn) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	return conn
}

// fill takes the only place.
func (b *busy) fill(t *testing.T) net.Conn {
	t.Helper()
	conn := b.start(t, "GET /held HTTP/1.1\r\nHost: bff\r\n\r\n")
	await(t, b.entered)
	return conn
}

// patience is for machines that are busy with something else.
const patience = 20 * time.Second

// idle waits until nothing is in flight.
func (b *busy) idle(t *testing.T) {
	t.Helper()
	await(t, b.ended)
	for deadline := time.After(patience); !strings.Contains(b.metrics(t), "\nhttp_requests_in_flight 0\n"); {
		select {
		case <-deadline:
			t.Fatal("the place is never given back")
		case <-time.After(time.Millisecond):
		}
	}
}

// await waits for what a handler says.
func await(t *testing.T, handler <-chan struct{}) {
	t.Helper()
	select {
	case <-handler:
	case <-time.After(patience):
		t.Fatal("no request gets so far")
	}
}

func (b *busy) metrics(t *testing.T) string {
	t.Helper()
	rec := httptest.NewRecorder()
	b.telemetry.Metrics.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	return rec.Body.String()
}

// endless is a body that never comes.
type endless struct{ ctx context.Context }

func (e endless) Read([]byte) (int, error) {
	<-e.ctx.Done()
	return 0, e.ctx.Err()
}
