package webapp_test

import (
	"bytes"
	"net/http"
	"testing"

	"bff.internal/bff-web/api"
)

func TestTheRoutesAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	b.contract.CheckRoutes(t, b.Handler)
}

func TestWhatIsServedToEverybody(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	for _, tt := range []struct {
		name, method, path string
		status             int
		contentType        string
	}{
		{"the page", "GET", "/web/", 200, "text/html; charset=utf-8"},
		{"its address without the slash", "GET", "/web", 308, ""},
		{"its code", "GET", "/web/assets/app.js", 200, "text/javascript; charset=utf-8"},
		{"HEAD answers like GET", "HEAD", "/web/", 200, "text/html; charset=utf-8"},
		{"a file that is none", "GET", "/web/assets/nothing.js", 404, "application/problem+json"},
		{"the contract", "GET", "/web/openapi.yaml", 200, "application/yaml"},
		{"an unknown path", "GET", "/web/nothing", 404, "application/problem+json"},
		{"a path below the dashboard, for a cache to keep", "GET", "/web/dashboard/x.css", 404, "application/problem+json"},
		{"a wrong method", "POST", "/web/openapi.yaml", 405, "application/problem+json"},
		{"logging out by a link", "GET", "/web/logout", 405, "application/problem+json"},
		{"a login by somebody who only looks", "HEAD", "/web/login", 405, "application/problem+json"},
		{"an answer to a login, likewise", "HEAD", "/web/callback?state=x", 405, "application/problem+json"},
		{"a path with a trick", "GET", "/web/..%2fopenapi.yaml", 400, "application/problem+json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec := b.ask(t, tt.method, tt.path)
			if rec.Code != tt.status || rec.Header().Get("Content-Type") != tt.contentType {
				t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
			}
		})
	}
	if rec := b.ask(t, http.MethodGet, "/web/openapi.yaml"); !bytes.Equal(rec.Body.Bytes(), api.Contract) {
		t.Errorf("the contract is %.80s", rec.Body)
	}
}
