package upstream_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// BenchmarkGet is what the layers cost when nothing is wrong, beside the transport's answer.
func BenchmarkGet(b *testing.B) {
	var nothing upstream.Policy
	nothing.Without = upstream.Layers{Shed: true, Retry: true, Hedge: true, Eject: true, Break: true}
	for _, bench := range []struct {
		name     string
		replicas string
		policy   upstream.Policy
	}{
		{"without layers", "http://a.test", nothing},
		{"one replica", "http://a.test", upstream.Policy{}},
		{"three replicas", "http://a.test,http://b.test,http://c.test", upstream.Policy{}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			t, err := telemetry.Open(b.Context(), telemetry.Config{LogLevel: slog.LevelError}, "bench", io.Discard)
			if err != nil {
				b.Fatal(err)
			}
			transport := upstreamtest.Func(func(*http.Request) upstreamtest.Answer { return upstreamtest.Answer{Body: `{"id":"1"}`} })
			client := upstream.New(upstream.Config{
				Service: "things", Replicas: upstreamtest.Replicas(b, bench.replicas), Policy: bench.policy,
				Transport: transport, Telemetry: t,
			})
			ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := get(ctx, client); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
