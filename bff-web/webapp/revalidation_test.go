package webapp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"bff.internal/shared/session"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestADashboardIsSentAgainOnlyWhenItHasChanged(t *testing.T) {
	t.Parallel()
	ada := signedIn(t)
	again, grace := ada, ada
	again.cookies, grace.cookies = map[string]string{}, map[string]string{}
	again.signIn(t)
	grace.signInAs(t, "grace")
	whole := ada.call(t, http.MethodGet, "/web/dashboard")
	tag := whole.Header().Get("Etag")
	if whole.Code != http.StatusOK || tag == "" {
		t.Fatalf("%d, ETag = %q", whole.Code, tag)
	}
	for _, tt := range []struct {
		name, path string
		who        bff
		orders     string // from now on, or "" for no change
		status     int
	}{
		{name: "to whom it was sent", path: "/web/dashboard", who: ada, status: 304},
		{name: "to the same user, below the other path", path: "/api/dashboard", who: ada, status: 304},
		{name: "to the same user in another session", path: "/web/dashboard", who: again, status: 304},
		{name: "to another user, who is answered the same", path: "/web/dashboard", who: grace, status: 200},
		{name: "after a change", path: "/web/dashboard", who: ada, orders: `{"orders":[]}`, status: 200},
		{name: "without a section", path: "/web/dashboard", who: ada, orders: "]", status: 200},
		{name: "as it was before", path: "/web/dashboard", who: ada, orders: ordersJSON, status: 304},
	} {
		if tt.orders != "" {
			ada.provider.Answer("/orders", upstreamtest.Answer{Body: tt.orders})
		}
		rec := tt.who.ask(t, http.MethodGet, tt.path, session.CSRFHeader, "1", "If-None-Match", tag)
		if rec.Code != tt.status || (tt.status == 304) != (rec.Body.Len() == 0) {
			t.Errorf("%s: %d, %d bytes; want %d", tt.name, rec.Code, rec.Body.Len(), tt.status)
		}
		got := rec.Header().Get("Etag")
		if missing := rec.Header().Get("Bff-Partial") != ""; (got == tag) != (tt.status == 304) || (got == "") != missing {
			t.Errorf("%s: ETag = %q, and was %q", tt.name, got, tag)
		}
		for _, name := range []string{"Cache-Control", "Vary"} {
			if got, want := rec.Header().Get(name), whole.Header().Get(name); tt.status == 304 && got != want {
				t.Errorf("%s: %s = %q, want %q", tt.name, name, got, want)
			}
		}
	}
}

func TestWhatThePageConsistsOfIsCompressed(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	for _, path := range []string{"/web/", "/web/assets/app.js", "/web/assets/style.css", "/web/openapi.yaml"} {
		plain := b.ask(t, http.MethodGet, path)
		for _, coding := range []string{"gzip", "zstd"} {
			rec := get(t, b.Handler, path, "Accept-Encoding", coding) // which the contract cannot read
			if rec.Header().Get("Content-Encoding") != coding || rec.Body.Len() >= plain.Body.Len()/2 || rec.Header().Get("Content-Length") != "" {
				t.Errorf("%s in %s: %v, %d bytes of %d", path, coding, rec.Header(), rec.Body.Len(), plain.Body.Len())
			}
			tag := rec.Header().Get("Etag")
			if path == "/web/openapi.yaml" {
				continue
			}
			if tag != "W/"+plain.Header().Get("Etag") {
				t.Errorf("%s in %s: ETag = %q", path, coding, tag)
			}
			if known := get(t, b.Handler, path, "If-None-Match", tag); known.Code != http.StatusNotModified {
				t.Errorf("%s: %d to who has it compressed", path, known.Code)
			}
		}
	}
}

func get(t *testing.T, handler http.Handler, path, name, value string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	req.Header.Set(name, value)
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	return rec
}
