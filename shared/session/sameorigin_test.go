package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"bff.internal/shared/problem"
	"bff.internal/shared/session"
)

func TestOnlyPagesOfThisOriginCall(t *testing.T) {
	t.Parallel()
	const origin = "https://app.test"
	fail := func(w http.ResponseWriter, _ *http.Request, err error) { _ = problem.From(err).Write(w) }
	guarded := session.SameOrigin(origin, fail)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, tt := range []struct {
		name   string
		header []string
		passes bool
	}{
		{"a fetch of our own page", []string{"X-CSRF", "1", "Sec-Fetch-Site", "same-origin", "Origin", "https://app.test"}, true},
		{"a fetch that says no origin, as GET does", []string{"X-CSRF", "1", "Sec-Fetch-Site", "same-origin"}, true},
		{"a program that is no browser", []string{"X-CSRF", "1"}, true},
		{"typed by a person, with an extension that adds the header", []string{"X-CSRF", "1", "Sec-Fetch-Site", "none"}, true},
		{"without the header", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://app.test"}, false},
		{"nothing at all", nil, false},
		{"another value", []string{"X-CSRF", "0"}, false},
		{"an empty value", []string{"X-CSRF", ""}, false},
		{"the header twice", []string{"X-CSRF", "1", "X-CSRF", "1"}, false},
		{"another site", []string{"X-CSRF", "1", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.test"}, false},
		{"a sibling host", []string{"X-CSRF", "1", "Sec-Fetch-Site", "same-site", "Origin", "https://other.app.test"}, false},
		{"a sibling host whose browser sends no Sec-Fetch-Site", []string{"X-CSRF", "1", "Origin", "https://other.app.test"}, false},
		{"another scheme", []string{"X-CSRF", "1", "Origin", "http://app.test"}, false},
		{"another port", []string{"X-CSRF", "1", "Origin", "https://app.test:8443"}, false},
		{"a sandboxed frame", []string{"X-CSRF", "1", "Origin", "null"}, false},
		{"a sandboxed frame of our own", []string{"X-CSRF", "1", "Sec-Fetch-Site", "cross-site", "Origin", "null"}, false},
		{"two origins", []string{"X-CSRF", "1", "Origin", "https://app.test", "Origin", "https://evil.test"}, false},
		{"two words about the site", []string{"X-CSRF", "1", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"}, false},
		{"a sibling's word beside our origin", []string{"X-CSRF", "1", "Sec-Fetch-Site", "same-site", "Origin", "https://app.test"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
				req := httptest.NewRequestWithContext(t.Context(), method, "https://app.test/x", http.NoBody)
				for i := 0; i < len(tt.header); i += 2 {
					req.Header.Add(tt.header[i], tt.header[i+1])
				}
				rec := httptest.NewRecorder()
				guarded.ServeHTTP(rec, req)
				if passes := rec.Code == http.StatusNoContent; passes != tt.passes || (!passes && (rec.Code != http.StatusForbidden || codeOf(t, rec) != "csrf")) {
					t.Errorf("%s: %d %s", method, rec.Code, rec.Body)
				}
			}
		})
	}
}
