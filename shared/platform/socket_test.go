package platform_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestASocketNeitherHoldsUpADrainNorOutlivesIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		timeout time.Duration
		stuck   bool
		cut     float64
	}{
		{name: "alone", timeout: time.Hour, cut: 0},
		{name: "beside a request that is cut", timeout: 50 * time.Millisecond, stuck: true, cut: 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig()
			cfg.DrainTimeout = test.timeout
			requests, causes := newHeld(true), make(chan error, 1)
			r := serve(t, cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/socket" {
					causes <- socket(t, w, r)
					return
				}
				requests.ServeHTTP(w, r)
			}))
			conn := dial(t, r.public)
			if _, err := io.WriteString(conn, "GET /socket HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("upgrade: %v", err)
			}
			defer func() { _ = response.Body.Close() }()
			if test.stuck {
				ask(r.public, "/held")
				<-requests.entered
			}

			r.stop()
			r.wait(t)
			if cause := <-causes; cause == nil || cause.Error() != "the service stops" {
				t.Errorf("the socket's context ended with %v", cause)
			}
			if stopped := r.log.entries(t, "stopped"); len(stopped) != 1 || stopped[0]["requestsCut"] != test.cut {
				t.Errorf("the log has %v, want %v requests cut", stopped, test.cut)
			}
		})
	}
}

// socket is a handler that takes the connection over until its context ends, and returns why that is.
func socket(t *testing.T, w http.ResponseWriter, r *http.Request) error {
	t.Helper()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n"); err != nil {
		return err
	}
	<-r.Context().Done()
	return context.Cause(r.Context())
}
