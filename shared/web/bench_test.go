package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/fanout"
	"bff.internal/shared/overload"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/web"
)

// BenchmarkEdge is what the edge itself costs a request that does nothing, with the limit and without it.
func BenchmarkEdge(b *testing.B) {
	for _, bench := range []struct {
		name string
		cfg  overload.Config
	}{
		{"with a limit", overload.Config{}},
		{"without", overload.Config{Off: true}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			tel, err := telemetry.Open(b.Context(), telemetry.Config{}, "bench", io.Discard)
			if err != nil {
				b.Fatal(err)
			}
			s := web.New(web.Config{MaxBody: maxBody, Overload: bench.cfg}, tel)
			s.GET("/", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, believe)
			request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
			request.Header.Set("Authorization", "Bearer "+string(make([]byte, 900)))
			w := discard{}
			s.ServeHTTP(w, request) // from now on its credential is known
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(w, request)
			}
		})
	}
}

// BenchmarkShed is what a request costs that is turned away.
func BenchmarkShed(b *testing.B) {
	tel, err := telemetry.Open(b.Context(), telemetry.Config{}, "bench", io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	s := web.New(web.Config{MaxBody: maxBody, Overload: overload.Config{MaxInFlight: 1}}, tel)
	request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
	s.GET("/held", func(echo.Context) error {
		b.ReportAllocs()
		for b.Loop() {
			s.ServeHTTP(discard{}, request)
		}
		return nil
	})
	s.ServeHTTP(discard{}, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/held", http.NoBody))
}

// BenchmarkAnswer is what a whole answer of about 2 KiB costs, in every way in which it can be asked for.
func BenchmarkAnswer(b *testing.B) {
	tel, err := telemetry.Open(b.Context(), telemetry.Config{}, "bench", io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	s := web.New(web.Config{MaxBody: maxBody, Overload: overload.Config{Off: true}}, tel)
	body := page{User: "ada"}
	for i := range 100 {
		body.Lines = append(body.Lines, "order "+strconv.Itoa(i*7919)+" shipped")
	}
	s.GET("/", func(c echo.Context) error { return web.Partial(c, body, fanout.Report{}) }, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(upstream.WithCredentials(r.Context(), upstream.Credentials{Key: "4:user3:ada"})))
		})
	})
	for _, bench := range []struct{ name, header, value string }{
		{"as it is", "", ""},
		{"when it is known", "If-None-Match", "*"},
		{"in a coding that nobody knows", "Accept-Encoding", "br"},
		{"in gzip", "Accept-Encoding", "gzip"},
		{"in zstd", "Accept-Encoding", "zstd"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
			if bench.header != "" {
				request.Header.Set(bench.header, bench.value)
			}
			b.ReportAllocs()
			for b.Loop() {
				w := discard{}
				s.ServeHTTP(w, request)
			}
		})
	}
}

func believe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		telemetry.EventFrom(r.Context()).SetCaller(telemetry.Caller{Kind: "user", ID: "ada"})
		next.ServeHTTP(w, r)
	})
}

// discard is an answer that nobody reads.
type discard http.Header

func (d discard) Header() http.Header { return http.Header(d) }

func (d discard) Write(p []byte) (int, error) { return len(p), nil }

func (d discard) WriteHeader(int) {}
