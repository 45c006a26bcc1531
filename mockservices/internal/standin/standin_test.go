package standin_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"bff.internal/mockservices/internal/standin"
	"bff.internal/mockservices/internal/standintest"
)

func newAPI(t *testing.T) *standintest.Client {
	t.Helper()
	say := func(text string) http.HandlerFunc {
		// Who has gone needs no answer.
		return func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text+r.PathValue("id")) }
	}
	return standintest.Serve(t, standin.New(
		standin.Table{
			"/things":      {http.MethodGet: say("all"), http.MethodPost: say("new")},
			"/things/{id}": {http.MethodGet: say("one ")},
		},
		standin.Table{"/_switch": {http.MethodPost: say("switched")}},
	))
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		method string
		path   string
		status int
		body   string // a part of it
		allow  string
	}{
		{"a resource", "GET", "/things", 200, "all", ""},
		{"another method of it", "POST", "/things", 200, "new", ""},
		{"HEAD is GET without a body", "HEAD", "/things", 200, "", ""},
		{"a name with a slash in it", "GET", "/things/a%2Fb", 200, "one a/b", ""},
		{"an unknown method", "DELETE", "/things", 405, `"code":"method_not_allowed"`, "GET, HEAD, POST"},
		{"a method that only others know", "POST", "/things/1", 405, `"code":"method_not_allowed"`, "GET, HEAD"},
		{"an unknown path", "GET", "/", 404, `"code":"not_found"`, ""},
		{"a slash too many at the end", "GET", "/things/", 404, `"code":"not_found"`, ""},
		{"a slash too many in between", "GET", "//things", 404, `"code":"not_found"`, ""},
		{"dots", "GET", "/x/../things", 404, `"code":"not_found"`, ""},
		{"liveness", "GET", "/livez", 200, "ok", ""},
		{"a control", "POST", "/_switch", 200, "switched", ""},
		{"another method of a control", "GET", "/_switch", 405, "", "POST"},
		{"another method of the counts", "PUT", "/_calls", 405, "", "DELETE, GET, HEAD"},
		{"another method of the faults", "POST", "/_faults", 405, "", "DELETE, GET, HEAD, PUT"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := newAPI(t).Do(t, standintest.Request{Method: test.method, Path: test.path})
			if got.Status != test.status || !strings.Contains(got.Body, test.body) || got.Header.Get("Allow") != test.allow {
				t.Errorf("answer: %d %v %s", got.Status, got.Header, got.Body)
			}
			if got.Status >= 400 && got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("a problem is %q", got.Header.Get("Content-Type"))
			}
		})
	}
}

func TestFaultsLeaveControlsAlone(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	put := standintest.Request{Method: http.MethodPut, Path: "/_faults", Body: `{"status":503}`}
	if got := api.Do(t, put); got.Status != http.StatusOK {
		t.Fatalf("PUT: %d %s", got.Status, got.Body)
	}
	for path, want := range map[string]int{"/things": 503, "/nowhere": 503, "/livez": 200, "/_faults": 200} {
		if got := api.Get(t, path, ""); got.Status != want {
			t.Errorf("%s: %d, want %d", path, got.Status, want)
		}
	}
	if got := api.Do(t, standintest.Request{Method: http.MethodPost, Path: "/_switch"}); got.Status != http.StatusOK {
		t.Errorf("/_switch: %d", got.Status)
	}
	if got := api.Do(t, standintest.Request{Method: http.MethodDelete, Path: "/_faults"}); got.Status != http.StatusNoContent {
		t.Errorf("DELETE: %d", got.Status)
	}
	if got := api.Get(t, "/things", ""); got.Status != http.StatusOK {
		t.Errorf("after the end: %d", got.Status)
	}
}

func TestOnlyCallsOfTheServiceAreCounted(t *testing.T) {
	t.Parallel()
	api := newAPI(t)
	api.Do(t, standintest.Request{Method: http.MethodPut, Path: "/_faults", Body: `{"status":503}`})
	api.Do(t, standintest.Request{Method: http.MethodPost, Path: "/_switch"})
	for _, path := range []string{"/livez", "/_faults", "/_calls", "/things", "/nowhere"} {
		api.Get(t, path, "")
	}
	want := `{"calls":2,"inFlight":0,"mostInFlight":1,"left":0,"mostOfOneRequest":0,"requestsAskedTwice":0}`
	if got := api.Get(t, "/_calls", ""); got.Status != http.StatusOK || got.Body != want {
		t.Errorf("counts: %d %s, want %s", got.Status, got.Body, want)
	}
	if got := api.Do(t, standintest.Request{Method: http.MethodDelete, Path: "/_calls"}); got.Status != http.StatusNoContent {
		t.Errorf("DELETE: %d", got.Status)
	}
	if got := api.Get(t, "/_calls", ""); got.Body == want {
		t.Error("the counts did not start anew")
	}
}
