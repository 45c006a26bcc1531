package web_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/overload"
	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
	"bff.internal/shared/web"
)

func TestHealthAndMetricsAreNeverShed(t *testing.T) {
	t.Parallel()
	p, err := platform.Open(t.Context(), platform.Config{
		Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", RedisURL: secret.New("redis://127.0.0.1:1"), MaxBody: maxBody,
	}, "test", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	listening, err := p.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entered, release := make(chan struct{}), make(chan struct{})
	s := web.New(web.Config{MaxBody: maxBody, Overload: overload.Config{MaxInFlight: 1}}, p.Telemetry)
	s.GET("/held", func(c echo.Context) error {
		close(entered)
		<-release
		return c.NoContent(http.StatusNoContent)
	})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- listening.Serve(ctx, s) }()
	held := make(chan int, 1)
	go func() {
		status, _ := get(t, listening.Addr(), "/held")
		held <- status
	}()
	<-entered

	if status, _ := get(t, listening.Addr(), "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("clients get %d, want to be turned away", status)
	}
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/debug/pprof/"} {
		status, body := get(t, listening.AdminAddr(), path)
		if status != http.StatusOK || path == "/metrics" && !strings.Contains(body, "http_requests_in_flight 1\n") {
			t.Errorf("%s: %d", path, status)
		}
	}
	close(release)
	if status := <-held; status != http.StatusNoContent {
		t.Errorf("what was let in ended with %d", status)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, addr, path string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, http.NoBody)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(text)
}
