package webapp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/upstream/upstreamtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

var refusedAnswer = upstreamtest.Answer{Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}}

func TestDashboard(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                  string
		golden                string // of the body, or "" for a problem
		user, orders, metrics upstreamtest.Answer
		status                int
		partial, code         string
	}{
		{name: "all fresh", golden: "dashboard", status: 200},
		{name: "no active orders", golden: "no_orders", orders: upstreamtest.Answer{Body: `{"orders":[]}`}, status: 200},
		{
			name: "a service that knows nearly nothing", golden: "sparse", status: 200,
			user: upstreamtest.Answer{Body: `{"id":"ada"}`}, orders: upstreamtest.Answer{Body: `{"orders":[{"id":"o"}]}`},
			metrics: upstreamtest.Answer{Body: `{"window":"30d"}`},
		},
		{
			name: "orders and metrics missing", golden: "partial", status: 200, partial: "activeOrders;reason=timeout, metrics;reason=refused",
			orders: upstreamtest.Answer{Hang: true}, metrics: refusedAnswer,
		},
		{name: "the services do not accept the session's token", status: 401, code: "invalid_token", user: upstreamtest.Answer{Status: 401}},
		{name: "no user", status: 404, code: "not_found", user: upstreamtest.Answer{Status: 404}},
		{name: "users broken", status: 502, code: "bad_answer", user: upstreamtest.Answer{Status: 500}},
		{name: "users hang", status: 504, code: "timeout", user: upstreamtest.Answer{Hang: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := signedIn(t)
			for path, answer := range map[string]*upstreamtest.Answer{"/users/me": &tt.user, "/orders": &tt.orders, "/metrics": &tt.metrics} {
				if answer.Body != "" || answer.Status != 0 || answer.Hang || answer.Err != nil {
					b.provider.Answer(path, *answer)
				}
			}
			begun := time.Now()
			rec := b.call(t, http.MethodGet, "/web/dashboard")
			if rec.Code != tt.status || rec.Header().Get("Bff-Partial") != tt.partial || codeOf(rec) != tt.code {
				t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
			}
			t.Logf("answered after %v", time.Since(begun))
			if tt.golden != "" {
				checkGolden(t, tt.golden, rec)
			}
			if (tt.partial != "" || tt.golden == "") != (rec.Header().Get("Cache-Control") == "no-store") {
				t.Errorf("Cache-Control = %q", rec.Header().Get("Cache-Control"))
			}
		})
	}
}

func TestTheDashboardBelowAPIIsTheSame(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	one, other := b.call(t, http.MethodGet, "/web/dashboard"), b.call(t, http.MethodGet, "/api/dashboard")
	if other.Code != http.StatusOK || !bytes.Equal(one.Body.Bytes(), other.Body.Bytes()) {
		t.Errorf("%d %s", other.Code, other.Body)
	}
}

func TestWhatTheServicesAreAsked(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	b.call(t, http.MethodGet, "/web/dashboard")
	var asked []string
	for _, req := range b.provider.Requests() {
		if req.URL.Host == "issuer.test" {
			continue
		}
		asked = append(asked, req.Method+" "+req.URL.String())
		if got := req.Header.Get("Authorization"); got != "Bearer access-1-ada" || req.Header.Get("Cookie") != "" {
			t.Errorf("%s is asked with %v", req.URL, req.Header)
		}
	}
	slices.Sort(asked)
	want := []string{
		"GET http://analytics.test/metrics?user=me&window=30d",
		"GET http://orders.test/orders?status=active&user=me",
		"GET http://users.test/users/me",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func codeOf(rec *httptest.ResponseRecorder) string {
	var p struct{ Code string }
	_ = json.Unmarshal(rec.Body.Bytes(), &p)
	return p.Code
}

// checkGolden compares the body with a file, indented for whoever reads its diffs.
func checkGolden(t *testing.T, name string, rec *httptest.ResponseRecorder) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, rec.Body.Bytes(), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	indented.WriteByte('\n')
	path := filepath.Join("testdata", name+".golden.json")
	if *update {
		if err := os.WriteFile(path, indented.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), indented.String()); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}
