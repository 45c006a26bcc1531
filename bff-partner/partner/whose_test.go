package partner_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"

	"bff.internal/bff-partner/api"
	"bff.internal/shared/apikey"
	"bff.internal/shared/ratelimit"
	"bff.internal/shared/upstream/upstreamtest"
)

// TestWhatTheServicesAreAsked looks for ways to another partner's data.
func TestWhatTheServicesAreAsked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, owner, target string
		header              []string
		path, id            string // as the services see the owner
	}{
		{name: "of the key's partner", owner: "acme", target: "", path: "acme", id: "acme"},
		{name: "and of no other", owner: "globex", target: "", path: "globex", id: "globex"},
		{name: "whatever the query says", owner: "acme", target: "?partner=globex&user=me&id=globex&status=&window=90d", path: "acme", id: "acme"},
		{
			name: "whatever the headers say", owner: "acme", path: "acme", id: "acme",
			header: []string{"X-Partner", "globex", "X-Forwarded-User", "globex", "Partner", "globex", "Cookie", "partner=globex", "Forwarded", "for=globex"},
		},
		{name: "whatever the id looks like", owner: "0-a.b_c~d", path: "0-a.b_c~d", id: "0-a.b_c~d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBFF(t, miniredis.RunT(t))
			b.script.Answer("/partners/"+tt.owner, upstreamtest.Answer{Body: partnerJSON})
			key := b.newKey(t, tt.owner, "dashboard:read")
			if rec := b.ask(t, http.MethodGet, "/partner/v1/dashboard"+tt.target, append(tt.header, "X-Api-Key", key)...); rec.Code != http.StatusOK {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			var asked []string
			for _, req := range b.script.Requests() {
				if strings.Contains(fmt.Sprint(req.URL, req.Header), key) {
					t.Errorf("%s gets the partner's key", req.URL.Host)
				}
				if req.URL.Host == "issuer.test" {
					continue
				}
				asked = append(asked, req.Method+" "+req.URL.String())
				if got := req.Header["Authorization"]; !slices.Equal(got, []string{"Bearer at-partner"}) || strings.Contains(fmt.Sprint(req.Header), "globex") {
					t.Errorf("%s is asked with %v", req.URL, req.Header)
				}
			}
			slices.Sort(asked)
			want := []string{
				"GET http://analytics.test/metrics?partner=" + tt.id + "&window=30d",
				"GET http://orders.test/orders?partner=" + tt.id + "&status=active",
				"GET http://users.test/partners/" + tt.path,
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoGetsNoDashboard(t *testing.T) {
	t.Parallel()
	b := newBFF(t, miniredis.RunT(t))
	other := b.newKey(t, "acme", "orders:read")
	bearer := func(key string) []string { return []string{"Authorization", "Bearer " + key} }
	const realm = `Bearer realm="bff-partner"`
	for _, tt := range []struct {
		name, target string
		header       []string
		status       int
		code         string
		challenge    string
	}{
		{"no key", "", nil, 401, "missing_key", realm},
		{"a key that nobody has", "", bearer(exampleKey(t)), 401, "invalid_key", realm + `, error="invalid_token"`},
		{"two keys", "", append(bearer(b.key), "X-Api-Key", b.key), 400, "invalid_request", realm + `, error="invalid_request"`},
		{"a key in the URL", "?key=" + b.key, bearer(b.key), 400, "key_in_url", realm + `, error="invalid_request"`},
		{"a key for something else", "", bearer(other), 403, "insufficient_scope", realm + `, error="insufficient_scope", scope="dashboard:read"`},
	} {
		rec := b.ask(t, http.MethodGet, "/partner/v1/dashboard"+tt.target, tt.header...)
		if rec.Code != tt.status || rec.Header().Get("WWW-Authenticate") != tt.challenge || !strings.Contains(rec.Body.String(), `"code":"`+tt.code+`"`) {
			t.Errorf("%s: %d %q %s", tt.name, rec.Code, rec.Header().Get("WWW-Authenticate"), rec.Body)
		}
		if said := rec.Header().Get("RateLimit"); said != "" {
			t.Errorf("%s: RateLimit = %q, and nobody was let in", tt.name, said)
		}
	}
	for _, req := range b.script.Requests() {
		if req.URL.Host != "issuer.test" {
			t.Errorf("%s was asked", req.URL)
		}
	}
}

func TestTheLimitIsThePartners(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.Limit = ratelimit.Config{Rate: ratelimit.Rate{Requests: 1, Per: time.Hour}, Burst: 2}
	b := newBFFOver(t, newScript(), cfg, miniredis.RunT(t))
	b.script.Answer("/partners/globex", upstreamtest.Answer{Body: partnerJSON})
	second, globex := b.newKey(t, "acme", "dashboard:read"), b.newKey(t, "globex", "dashboard:read")
	for _, tt := range []struct {
		name, key string
		status    int
		left      string
	}{
		{"the first", b.key, 200, `"partner";r=1`},
		{"another key of the same partner", second, 200, `"partner";r=0`},
		{"one too many", b.key, 429, `"partner";r=0`},
		{"for any key of the partner", second, 429, `"partner";r=0`},
		{"but not for others", globex, 200, `"partner";r=1`},
	} {
		before := len(b.script.Requests())
		rec := b.ask(t, http.MethodGet, "/partner/v1/dashboard", "X-Api-Key", tt.key)
		left, wait, _ := strings.Cut(rec.Header().Get("RateLimit"), ";t=")
		if rec.Code != tt.status || left != tt.left || rec.Header().Get("RateLimit-Policy") != `"partner";q=2;w=7200` {
			t.Errorf("%s: %d %v", tt.name, rec.Code, rec.Header())
		}
		if tt.status == 200 {
			continue
		}
		if rec.Header().Get("Retry-After") != wait || wait == "" || !strings.Contains(rec.Body.String(), `"code":"rate_limited"`) || len(b.script.Requests()) != before {
			t.Errorf("%s: %v %s", tt.name, rec.Header(), rec.Body)
		}
	}
}

func TestHEADAnswersLikeGET(t *testing.T) {
	t.Parallel()
	b := newBFF(t, miniredis.RunT(t))
	rec := b.ask(t, http.MethodHead, "/partner/v1/dashboard", "X-Api-Key", b.key)
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}

func TestWithoutATokenOfOursNobodyIsAnswered(t *testing.T) {
	t.Parallel()
	script := &upstreamtest.Transport{}
	script.Answer("/.well-known/openid-configuration", refusedAnswer)
	rec := newBFFOver(t, script, config(t), miniredis.RunT(t)).dashboard(t)
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Body.String(), "identity_unavailable") {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}

// TestTheExampleKeyOfTheContract is for whoever writes the checksum anew from its description, and tries it there.
func TestTheExampleKeyOfTheContract(t *testing.T) {
	t.Parallel()
	if id, ok := apikey.ParseID(exampleKey(t)); id != "0example0key" || !ok {
		t.Errorf("%q, %t", id, ok)
	}
	if !strings.Contains(string(api.Contract), "\n        ^pk_[a-z0-9]{12}_[0-9A-Za-z]{49}$\n") {
		t.Error("the contract does not say what keys look like")
	}
}

func exampleKey(t *testing.T) string {
	t.Helper()
	_, rest, _ := strings.Cut(string(api.Contract), "pk_0example0key_")
	random, _, found := strings.Cut(rest, "\n")
	if !found {
		t.Fatal("the contract has no example of a key")
	}
	return "pk_0example0key_" + random
}
