package mobile_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"bff.internal/shared/upstream/upstreamtest"
)

func TestADashboardIsSentAgainOnlyWhenItHasChanged(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	ada := b.token(t, nil)
	whole := b.get(t, "/mobile/dashboard", ada)
	tag := whole.Header().Get("Etag")
	if whole.Code != http.StatusOK || tag == "" {
		t.Fatalf("%d, ETag = %q", whole.Code, tag)
	}
	for _, tt := range []struct {
		name, token string
		orders      string // from now on, or "" for no change
		status      int
	}{
		{name: "to whom it was sent", token: ada, status: 304},
		{name: "to the same user with another token", token: b.token(t, func(c jwt.MapClaims) { c["jti"] = "2" }), status: 304},
		{name: "to another user, who is answered the same", token: b.token(t, func(c jwt.MapClaims) { c["sub"] = "grace" }), status: 200},
		{name: "after a change", token: ada, orders: `{"orders":[]}`, status: 200},
		{name: "without a section", token: ada, orders: "]", status: 200},
		{name: "as it was before", token: ada, orders: ordersJSON, status: 304},
	} {
		if tt.orders != "" {
			b.script.Answer("/orders", upstreamtest.Answer{Body: tt.orders})
		}
		rec := b.revalidate(t, tt.token, tag)
		if rec.Code != tt.status || (tt.status == 304) != (rec.Body.Len() == 0) {
			t.Errorf("%s: %d, %d bytes; want %d", tt.name, rec.Code, rec.Body.Len(), tt.status)
		}
		checkSchema(t, rec)
		again := rec.Header().Get("Etag")
		if missing := rec.Header().Get("Bff-Partial") != ""; (again == tag) != (tt.status == 304) || (again == "") != missing {
			t.Errorf("%s: ETag = %q, and was %q", tt.name, again, tag)
		}
		for _, name := range []string{"Cache-Control", "Vary"} {
			if got, want := rec.Header().Get(name), whole.Header().Get(name); tt.status == 304 && got != want {
				t.Errorf("%s: %s = %q, want %q", tt.name, name, got, want)
			}
		}
	}
	if stranger := b.revalidate(t, "", tag); stranger.Code != http.StatusUnauthorized || strings.Contains(stranger.Body.String(), tag) {
		t.Errorf("to a stranger: %d", stranger.Code)
	}
}

// revalidate asks for the dashboard unless it is the one with the tag.
func (b bff) revalidate(t *testing.T, token, tag string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mobile/dashboard", http.NoBody)
	req.Header.Set("If-None-Match", tag)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	return rec
}

// A phone pays for every byte.
func TestADashboardIsSmallOnItsWay(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	for _, coding := range []string{"gzip", "zstd"} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mobile/dashboard", http.NoBody)
		req.Header.Set("Authorization", "Bearer "+b.token(t, nil))
		req.Header.Set("Accept-Encoding", coding)
		rec := httptest.NewRecorder()
		b.ServeHTTP(rec, req)
		if sum := len(userJSON) + len(ordersJSON) + len(metricsJSON); rec.Header().Get("Content-Encoding") != coding || rec.Body.Len() > sum/10 {
			t.Errorf("%s: %d bytes in %q, want a tenth of the %d that the services answer", coding, rec.Body.Len(), rec.Header().Get("Content-Encoding"), sum)
		}
	}
}
