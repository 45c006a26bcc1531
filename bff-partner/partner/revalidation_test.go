package partner_test

import (
	"net/http"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/shared/upstream/upstreamtest"
)

func TestADashboardIsSentAgainOnlyWhenItHasChanged(t *testing.T) {
	t.Parallel()
	b := newBFF(t, miniredis.RunT(t))
	b.script.Answer("/partners/globex", upstreamtest.Answer{Body: partnerJSON})
	second, globex := b.newKey(t, "acme", "dashboard:read"), b.newKey(t, "globex", "dashboard:read")
	whole := b.dashboard(t)
	tag := whole.Header().Get("Etag")
	if whole.Code != http.StatusOK || tag == "" {
		t.Fatalf("%d, ETag = %q", whole.Code, tag)
	}
	for _, tt := range []struct {
		name, key string
		metrics   string // from now on, or "" for no change
		status    int
	}{
		{name: "to whom it was sent", key: b.key, status: 304},
		{name: "to the same partner with another key", key: second, status: 200},
		{name: "to another partner, who is answered the same", key: globex, status: 200},
		{name: "after a change", key: b.key, metrics: `{"window":"30d","series":[]}`, status: 200},
		{name: "without its metrics", key: b.key, metrics: "]", status: 200},
		{name: "as it was before", key: b.key, metrics: metricsJSON, status: 304},
	} {
		if tt.metrics != "" {
			b.script.Answer("/metrics", upstreamtest.Answer{Body: tt.metrics})
		}
		rec := b.ask(t, http.MethodGet, "/partner/v1/dashboard", "X-Api-Key", tt.key, "If-None-Match", tag)
		if rec.Code != tt.status || (tt.status == 304) != (rec.Body.Len() == 0) {
			t.Errorf("%s: %d, %d bytes; want %d", tt.name, rec.Code, rec.Body.Len(), tt.status)
		}
		again := rec.Header().Get("Etag")
		if missing := rec.Header().Get("Bff-Partial") != ""; (again == tag) != (tt.status == 304) || (again == "") != missing {
			t.Errorf("%s: ETag = %q, and was %q", tt.name, again, tag)
		}
		if rec.Header().Get("RateLimit") == "" {
			t.Errorf("%s: no RateLimit", tt.name)
		}
		for _, name := range []string{"Cache-Control", "Vary", "RateLimit-Policy"} {
			if got, want := rec.Header().Get(name), whole.Header().Get(name); tt.status == 304 && got != want {
				t.Errorf("%s: %s = %q, want %q", tt.name, name, got, want)
			}
		}
	}
}
