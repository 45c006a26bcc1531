package upstream_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"bff.internal/shared/secret"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestNoRedirectIsFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, where := range []string{"elsewhere", "the service itself"} {
			t.Run(strconv.Itoa(status)+" to "+where, func(t *testing.T) {
				t.Parallel()
				var asked, led atomic.Int32
				elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led.Add(1) }))
				defer elsewhere.Close()
				target := elsewhere.URL + "/things/2"
				if where != "elsewhere" {
					target = "/things/2"
				}
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if asked.Add(1); r.Header.Get("Authorization") != "Bearer the-token" {
						t.Error("the service was asked without credentials, so this shows nothing")
					}
					http.Redirect(w, r, target, status)
				}))
				defer server.Close()
				client := upstream.New(upstream.Config{
					Service: "things", Replicas: upstreamtest.Replicas(t, server.URL),
					Transport: server.Client().Transport, Telemetry: upstreamtest.Telemetry(t),
				})
				ctx := upstream.WithCredentials(t.Context(), upstream.Credentials{Token: secret.New("the-token"), Key: "k"})
				if _, err := get(ctx, client); kindOf(err) != upstream.BadAnswer {
					t.Errorf("error = %v, want a bad answer", err)
				}
				if asked.Load() != 1 || led.Load() != 0 {
					t.Errorf("the service was asked %d times, and where it led %d times", asked.Load(), led.Load())
				}
			})
		}
	}
}

// TestHintsOverHTTP2 is about another parser than that of HTTP/1.
func TestHintsOverHTTP2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		hints int
		kind  upstream.Kind
	}{
		{"a few come before a value", 3, ""},
		{"a flood is a bad answer", 100_000, upstream.BadAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for i := 0; i < tt.hints && r.Context().Err() == nil; i++ {
					w.WriteHeader(http.StatusEarlyHints)
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(aValue))
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			transport := server.Client().Transport.(*http.Transport) //nolint:forcetypeassert // httptest says so
			transport.MaxResponseHeaderBytes = 64 << 10
			client := upstream.New(upstream.Config{
				Service: "things", Replicas: upstreamtest.Replicas(t, server.URL), Transport: transport, Telemetry: upstreamtest.Telemetry(t),
			})
			if _, err := get(t.Context(), client); kindOf(err) != tt.kind {
				t.Errorf("error = %v, want %q", err, tt.kind)
			}
		})
	}
}
