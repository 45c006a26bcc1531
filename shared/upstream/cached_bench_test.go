package upstream_test

import (
	"io"
	"log/slog"
	"net/http"
	"testing"

	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// BenchmarkCachedGet is what a GET of a known caller costs, by where its answer comes from.
func BenchmarkCachedGet(b *testing.B) {
	for _, bench := range []struct {
		name    string
		without upstream.Layers
		first   upstreamtest.Answer
		then    upstreamtest.Answer
	}{
		{"hit", upstream.Layers{}, said("1", "Cache-Control: max-age=86400"), good},
		{"revalidated", upstream.Layers{}, said("1", "ETag: "+tagA), same()},
		{"miss, kept", upstream.Layers{}, said("1", "ETag: "+tagA), said("1", "ETag: "+tagA)},
		{"miss, not kept", upstream.Layers{}, good, good},
		{"without both layers", upstream.Layers{Cache: true, Coalesce: true}, good, good},
	} {
		b.Run(bench.name, func(b *testing.B) {
			t, err := telemetry.Open(b.Context(), telemetry.Config{LogLevel: slog.LevelError}, "bench", io.Discard)
			if err != nil {
				b.Fatal(err)
			}
			answer := bench.first
			client := upstream.New(upstream.Config{
				Service: "things", Replicas: upstreamtest.Replicas(b, "http://a.test"), Policy: upstream.Policy{Without: bench.without},
				Transport: upstreamtest.Func(func(*http.Request) upstreamtest.Answer { return answer }), Telemetry: t,
			})
			ctx := as(b.Context(), "ada")
			told(ctx, client)
			answer = bench.then
			b.ReportAllocs()
			for b.Loop() {
				if _, err := get(ctx, client); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
