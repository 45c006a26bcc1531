//go:build unix

package ratelimit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bff.internal/shared/platform/redistest"
	"bff.internal/shared/ratelimit"
)

// BenchmarkDecision is what a request pays for being counted.
func BenchmarkDecision(b *testing.B) {
	server := redistest.Start(b)
	for _, bench := range []struct{ name, addr string }{
		{"redis", server.Addr()},
		{"local", nowhere},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := newHasty(b, tuned(b, bench.addr), ratelimit.Limit{Requests: 1_000_000, Per: time.Second, Burst: 100_000}, replicas(1))
			handler := r.limiter.Middleware(func(*http.Request) string { return "acme" }, fail)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			request, w := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody), discard{}
			handler.ServeHTTP(w, request)
			b.ReportAllocs()
			for b.Loop() {
				clear(w)
				handler.ServeHTTP(w, request)
			}
			if counted := r.decisions(b); counted["allowed by "+bench.name] < b.N*9/10 {
				b.Errorf("counted %v", counted)
			}
		})
	}
}

// discard is an answer that nobody reads.
type discard http.Header

// Header returns the header.
func (d discard) Header() http.Header { return http.Header(d) }

// Write does nothing.
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader does nothing.
func (d discard) WriteHeader(int) {}
