package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkBearer is what a request pays for being authenticated: with a token that was seen before, and
// with one that was not.
func BenchmarkBearer(b *testing.B) {
	refused := func(_ http.ResponseWriter, _ *http.Request, err error) { b.Fatal(err) }
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	request := func(token string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+token)
		return r
	}
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		key := newSigner(b, "1", alg)
		handler := newIssuer(key).verifier().Bearer(refused)(next)
		handler.ServeHTTP(nil, request(key.mint()))

		b.Run(alg+" again", func(b *testing.B) {
			r := request(key.mint())
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(nil, r)
			}
		})
		b.Run(alg+" again, by all at once", func(b *testing.B) {
			token := key.mint()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for r := request(token); pb.Next(); {
					handler.ServeHTTP(nil, r)
				}
			})
		})
		b.Run(alg+" first", func(b *testing.B) {
			requests := make([]*http.Request, b.N)
			for n := range requests {
				requests[n] = request(key.mint(claim("jti", n)))
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, r := range requests {
				handler.ServeHTTP(nil, r)
			}
		})
	}
}
