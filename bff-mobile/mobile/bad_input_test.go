package mobile_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// authorization is the values of the header Authorization.
type authorization []string

func TestWhoIsNotLetIn(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	t.Cleanup(func() { // when the subtests are over
		if requests := b.serviceRequests(); requests != 0 {
			t.Errorf("%d requests reached a service", requests)
		}
	})
	good := b.token(t, nil)
	parts := strings.Split(good, ".")
	bearer := func(token string) authorization { return authorization{"Bearer " + token} }
	with := func(change func(jwt.MapClaims)) authorization { return bearer(b.token(t, change)) }
	header := func(json string) authorization {
		return bearer(base64.RawURLEncoding.EncodeToString([]byte(json)) + "." + parts[1] + "." + parts[2])
	}
	foreign := b
	foreign.key = newKey(t)

	for _, tt := range []struct {
		name          string
		authorization authorization
		status        int
		challenge     string // within WWW-Authenticate
	}{
		{"nobody says who they are", nil, 401, `Bearer realm="bff-mobile"`},
		{"another scheme", authorization{"Basic YWRhOmh1bnRlcjI="}, 401, `Bearer realm="bff-mobile"`},
		{"no token", authorization{"Bearer "}, 400, `error="invalid_request"`},
		{"two tokens", authorization{"Bearer " + good + " " + good}, 400, `error="invalid_request"`},
		{"two headers", authorization{"Bearer " + good, "Bearer " + good}, 400, `error="invalid_request"`},
		{"no token at all", bearer("garbage"), 401, `error="invalid_token"`},
		{"9 KiB of token", bearer(parts[0] + "." + strings.Repeat("x", 9<<10) + "." + parts[2]), 401, `error="invalid_token"`},
		{"another audience", with(func(c jwt.MapClaims) { c["aud"] = "bff-web" }), 401, `error="invalid_token"`},
		{"another audience beside ours", with(func(c jwt.MapClaims) { c["aud"] = []string{"bff-mobile", "bff-web"} }), 401, `error="invalid_token"`},
		{"another issuer", with(func(c jwt.MapClaims) { c["iss"] = issuer + "/" }), 401, `error="invalid_token"`},
		{"expired", with(func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }), 401, `error="invalid_token"`},
		{"never expires", with(func(c jwt.MapClaims) { delete(c, "exp") }), 401, `error="invalid_token"`},
		{"not yet valid", with(func(c jwt.MapClaims) { c["nbf"] = time.Now().Add(time.Minute).Unix() }), 401, `error="invalid_token"`},
		{"bound to a key that is not shown", with(func(c jwt.MapClaims) { c["cnf"] = map[string]string{"jkt": "x"} }), 401, `error="invalid_token"`},
		{"somebody else's signature", bearer(foreign.token(t, nil)), 401, `error="invalid_token"`},
		{"tampered claims", bearer(parts[0] + "." + strings.TrimSuffix(parts[1], parts[1][len(parts[1])-8:]) + "AAAAAAAA." + parts[2]), 401, `error="invalid_token"`},
		{"no signature", header(`{"alg":"none","typ":"at+jwt","kid":"1"}`), 401, `error="invalid_token"`},
		{"a symmetric algorithm", header(`{"alg":"HS256","typ":"at+jwt","kid":"1"}`), 401, `error="invalid_token"`},
		{"an ID token", header(`{"alg":"ES256","typ":"JWT","kid":"1"}`), 401, `error="invalid_token"`},
		{"a critical header that nobody knows", header(`{"alg":"ES256","typ":"at+jwt","kid":"1","crit":["b64"],"b64":false}`), 401, `error="invalid_token"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mobile/dashboard", http.NoBody)
			req.Header["Authorization"] = tt.authorization
			rec := httptest.NewRecorder()
			b.ServeHTTP(rec, req)
			if rec.Code != tt.status || !strings.Contains(rec.Header().Get("WWW-Authenticate"), tt.challenge) {
				t.Errorf("%d %q %s, want %d %q", rec.Code, rec.Header().Get("WWW-Authenticate"), rec.Body, tt.status, tt.challenge)
			}
			if tt.authorization == nil && strings.Contains(rec.Header().Get("WWW-Authenticate"), "error") {
				t.Errorf("WWW-Authenticate = %q, want no error where nothing was presented", rec.Header().Get("WWW-Authenticate"))
			}
			checkSchema(t, rec)
		})
	}
}

func TestWithoutTheIssuersKeysNobodyIsJudged(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	b.script.Answer("/.well-known/openid-configuration", refusedAnswer)
	b.script.Answer("/keys", refusedAnswer)
	rec := b.dashboard(t)
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s, want 503 with Retry-After", rec.Code, rec.Body)
	}
	checkSchema(t, rec)
}

// serviceRequests counts what reached the services; the issuer's keys do not count.
func (b bff) serviceRequests() int {
	count := 0
	for _, req := range b.script.Requests() {
		if req.URL.Host != "issuer.test" {
			count++
		}
	}
	return count
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
