// Package platformtest opens platforms for tests.
package platformtest

import (
	"net/http"
	"testing"

	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
)

// New opens a platform whose upstream calls go to the transport and whose log goes to the test's output.
// Its Redis refuses every connection. The test closes it. It may be opened inside a testing/synctest bubble.
func New(tb testing.TB, transport http.RoundTripper) *platform.Platform {
	tb.Helper()
	return WithRedis(tb, transport, "redis://127.0.0.1:1")
}

// WithRedis is New with a Redis, as REDIS_URL names it.
func WithRedis(tb testing.TB, transport http.RoundTripper, redisURL string) *platform.Platform {
	tb.Helper()
	p, err := platform.Open(tb.Context(), platform.Config{
		Addr:      "127.0.0.1:0",
		AdminAddr: "127.0.0.1:0",
		RedisURL:  secret.New(redisURL),
		MaxBody:   1 << 20,
	}, tb.Name(), tb.Output())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	p.Transport = transport
	return p
}
