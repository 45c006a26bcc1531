package platform_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTheAdminListenerIsForOperatorsAlone(t *testing.T) {
	t.Parallel()
	r := serve(t, testConfig(), http.NotFoundHandler())
	tests := []struct {
		name, path string
		status     int
		contains   string
	}{
		{name: "the root lists what there is", path: "/", status: http.StatusOK, contains: "/debug/pprof/"},
		{name: "the process is alive", path: "/livez", status: http.StatusOK, contains: "ok\n"},
		{name: "the service is ready although Redis is away", path: "/readyz", status: http.StatusOK, contains: "ready\n"},
		{name: "metrics are in the format of Prometheus", path: "/metrics", status: http.StatusOK, contains: "# TYPE go_goroutines gauge"},
		{name: "profiles have an index", path: "/debug/pprof/", status: http.StatusOK, contains: "goroutine"},
		{name: "profiles are there by name", path: "/debug/pprof/goroutine?debug=1", status: http.StatusOK, contains: "goroutine profile"},
		{name: "there is a trace", path: "/debug/pprof/trace?seconds=0.01", status: http.StatusOK},
		{name: "symbols can be asked for", path: "/debug/pprof/symbol", status: http.StatusOK, contains: "num_symbols"},
		{name: "the command line is there", path: "/debug/pprof/cmdline", status: http.StatusOK},
		{name: "parts of the service have pages", path: "/things", status: http.StatusOK, contains: "all is well"},
		{name: "which the root lists", path: "/", status: http.StatusOK, contains: "/things        what a part of the service says of itself\n"},
		{name: "anything else is unknown", path: "/livez/", status: http.StatusNotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			response, body, err := get(r.admin, test.path)
			if err != nil || response.StatusCode != test.status || !strings.Contains(body, test.contains) {
				t.Errorf("%s: %v, %.200q; want %d with %q", test.path, err, body, test.status, test.contains)
			}
			// The public listener has the service's own handler and nothing of this.
			if response, _, err := get(r.public, test.path); err != nil || response.StatusCode != http.StatusNotFound {
				t.Errorf("%s on the public listener: %v, want 404", test.path, err)
			}
		})
	}
}

func TestAServiceIsReadyWhenItHasWarmedUp(t *testing.T) {
	t.Parallel()
	warm := make(chan struct{})
	r := serve(t, testConfig(), http.NotFoundHandler(), func(ctx context.Context) {
		select {
		case <-warm:
		case <-ctx.Done():
		}
	})
	if response, body, err := get(r.admin, "/readyz"); err != nil || response.StatusCode != http.StatusServiceUnavailable || body != "starting\n" {
		t.Errorf("before: %v, %q", err, body)
	}
	if response, _, err := get(r.admin, "/livez"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("it lives: %v", err)
	}
	if response, _, err := get(r.public, "/"); err != nil || response.StatusCode != http.StatusNotFound {
		t.Errorf("it serves whoever comes all the same: %v", err)
	}
	close(warm)
	ready(t, r)
}

func TestAServiceThatDoesNotWarmUpIsReadyAllTheSame(t *testing.T) {
	t.Parallel()
	ready(t, serve(t, testConfig(), http.NotFoundHandler(), func(ctx context.Context) { <-ctx.Done() }))
}

// ready waits until the service is.
func ready(t *testing.T, r *running) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		response, body, err := get(r.admin, "/readyz")
		if err == nil && response.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v, %q", err, body)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}
