package upstream_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// TestAWriteWhoseConnectionBreaks asks real servers over connections that they have answered on before: those are where
// net/http would repeat a request on its own account.
func TestAWriteWhoseConnectionBreaks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, key string
		body              any
		replicas          int
		arrives           int32
	}{
		{"without a key it arrives once", http.MethodPost, "", map[string]int{"amount": 1}, 2, 1},
		{"without a key or a body it arrives once", http.MethodDelete, "", nil, 2, 1},
		{"with a key it arrives twice at the most", http.MethodPost, "k", map[string]int{"amount": 1}, 3, 2},
		{"with a key and without a body it arrives twice at the most", http.MethodDelete, "k", nil, 3, 2},
		{"with a key it arrives once where there is no other replica", http.MethodPost, "k", map[string]int{"amount": 1}, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var arrived atomic.Int32
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodGet {
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, `{"id":"1"}`)
					return
				}
				arrived.Add(1)
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				conn.Close()
			})
			var replicas upstream.Replicas
			transport := &http.Transport{DisableCompression: true}
			defer transport.CloseIdleConnections()
			for range tt.replicas {
				server := httptest.NewServer(handler)
				defer server.Close()
				replica := upstreamtest.Replicas(t, server.URL)
				replicas = append(replicas, replica...)
				one := upstream.New(upstream.Config{Service: "things", Replicas: replica, Transport: transport, Telemetry: upstreamtest.Telemetry(t)})
				if _, err := get(t.Context(), one); err != nil {
					t.Fatal(err)
				}
			}
			client := upstream.New(upstream.Config{Service: "things", Replicas: replicas, Transport: transport, Telemetry: upstreamtest.Telemetry(t)})
			_, err := upstream.Send[thing](t.Context(), client, upstream.Write{Method: tt.method, Target: aThing, Body: tt.body, IdempotencyKey: tt.key})
			if kindOf(err) != upstream.BadAnswer {
				t.Errorf("error = %v, want a bad answer", err)
			}
			if got := arrived.Load(); got != tt.arrives {
				t.Errorf("it arrived %d times, want %d", got, tt.arrives)
			}
		})
	}
}
