package identity_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
)

func newAPI(t *testing.T) (*identity.Provider, *standintest.Client) {
	t.Helper()
	provider := standintest.NewIdentity(t)
	return provider, standintest.Serve(t, provider)
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	got := api.Get(t, "/.well-known/openid-configuration", "")
	var announced map[string]any
	if err := json.Unmarshal([]byte(got.Body), &announced); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"issuer":                                         standintest.Issuer,
		"authorization_endpoint":                         standintest.Issuer + "/authorize",
		"token_endpoint":                                 standintest.Issuer + "/oauth/token",
		"end_session_endpoint":                           standintest.Issuer + "/end_session",
		"jwks_uri":                                       standintest.Issuer + "/keys",
		"scopes_supported":                               []any{"openid", "profile", "offline_access", "api"},
		"response_types_supported":                       []any{"code"},
		"response_modes_supported":                       []any{"query"},
		"grant_types_supported":                          []any{"authorization_code", "refresh_token", "client_credentials"},
		"subject_types_supported":                        []any{"public"},
		"id_token_signing_alg_values_supported":          []any{"ES256"},
		"token_endpoint_auth_methods_supported":          []any{"client_secret_basic", "client_secret_post", "none"},
		"claim_types_supported":                          []any{"normal"},
		"claims_supported":                               []any{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "name"},
		"code_challenge_methods_supported":               []any{"S256"},
		"request_uri_parameter_supported":                false,
		"authorization_response_iss_parameter_supported": true,
	}
	if diff := cmp.Diff(want, announced); diff != "" {
		t.Error(diff)
	}
	if got.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("headers: %v", got.Header)
	}
}

func TestNothingElseIsServed(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	for _, path := range []string{
		"/authorize/callback", "/authorize/", "/oauth/introspect", "/userinfo", "/revoke",
		"/device_authorization", "/healthz", "/ready", "/login/", "/pages/login.html", "/",
	} {
		for _, method := range []string{"GET", "POST"} {
			got := api.Do(t, standintest.Request{Method: method, Path: path})
			if got.Status != 404 || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s: %d %s", method, path, got.Status, got.Body)
			}
		}
	}
	for _, path := range []string{"/oauth/token", "/_rotate"} {
		if got := api.Get(t, path, ""); got.Status != 405 || got.Header.Get("Allow") != "POST" {
			t.Errorf("GET %s: %d %v", path, got.Status, got.Header)
		}
	}
}

// grant sends a form to the token endpoint. Without an id, there is no Authorization.
func grant(t *testing.T, api *standintest.Client, id, secret string, form url.Values) standintest.Answer {
	t.Helper()
	header := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	if id != "" {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(id, secret)
		header["Authorization"] = r.Header.Get("Authorization")
	}
	return api.Do(t, standintest.Request{Method: "POST", Path: "/oauth/token", Body: form.Encode(), Header: header})
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	provider, api := newAPI(t)
	const secret = identity.DevPartnerSecret
	own := url.Values{"grant_type": {"client_credentials"}}
	posted := url.Values{"grant_type": {"client_credentials"}, "client_id": {"bff-partner"}, "client_secret": {secret}}
	for name, got := range map[string]standintest.Answer{
		"Basic":           grant(t, api, "bff-partner", secret, own),
		"in the form":     grant(t, api, "", "", posted),
		"with its scope":  grant(t, api, "bff-partner", secret, url.Values{"grant_type": own["grant_type"], "scope": {"api"}}),
		"with long lines": grant(t, api, "bff-partner", secret, url.Values{"grant_type": own["grant_type"], "x": {strings.Repeat("x", 9000)}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answer struct {
				AccessToken string `json:"access_token"` //nolint:tagliatelle // RFC 6749 spells it so
				TokenType   string `json:"token_type"`   //nolint:tagliatelle // RFC 6749 spells it so
				ExpiresIn   int    `json:"expires_in"`   //nolint:tagliatelle // RFC 6749 spells it so
				Scope       string `json:"scope"`
			}
			if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
				t.Fatalf("%v in %d %s", err, got.Status, got.Body)
			}
			if answer.TokenType != "Bearer" || answer.ExpiresIn != 300 || answer.Scope != "api" || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("answer: %v %s", got.Header, got.Body)
			}
			expect(t, provider, answer.AccessToken, identity.Claims{
				Issuer: standintest.Issuer, Subject: "bff-partner", Audience: "bff-partner", ClientID: "bff-partner", Scope: "api",
			})
		})
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	const secret = identity.DevPartnerSecret
	form := func(pairs ...string) url.Values {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return values
	}
	own := form("grant_type", "client_credentials")
	tests := []struct {
		name, id, secret string
		form             url.Values
		status           int
		code             string
	}{
		{"a wrong secret", "bff-partner", "wrong", own, 401, "invalid_client"},
		{"an empty secret", "bff-partner", "", own, 401, "invalid_client"},
		{"an unknown client", "nobody", secret, own, 401, "invalid_client"},
		{"an unknown client without a secret", "nobody", "", own, 401, "invalid_client"},
		{"a public client for itself", "mobile-app", "", own, 400, "unauthorized_client"},
		{"a public client with a secret", "mobile-app", secret, own, 401, "invalid_client"},
		{"a client for users for itself", "bff-web", identity.DevWebSecret, own, 400, "unauthorized_client"},
		{"a confidential client without its secret", "bff-web", "", own, 401, "invalid_client"},
		{"a confidential client with another's secret", "bff-web", secret, own, 401, "invalid_client"},
		{"a wrong secret in the form", "", "", form("grant_type", "client_credentials", "client_id", "bff-partner", "client_secret", "x"), 401, "invalid_client"},
		{"nobody at all", "", "", own, 400, "invalid_request"},
		{"a scope that is not the client's", "bff-partner", secret, form("grant_type", "client_credentials", "scope", "api openid"), 400, "invalid_scope"},
		{"no grant", "bff-partner", secret, url.Values{}, 400, "invalid_request"},
		{"a grant that nobody knows", "bff-partner", secret, form("grant_type", "magic"), 400, "unsupported_grant_type"},
		{"a grant of other clients", "bff-partner", secret, form("grant_type", "authorization_code", "code", "c", "redirect_uri", "http://x"), 400, "unauthorized_client"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := grant(t, api, test.id, test.secret, test.form)
			var answer struct {
				Error string `json:"error"`
			}
			if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
				t.Fatal(err)
			}
			if got.Status != test.status || answer.Error != test.code || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("answer: %d %v %s", got.Status, got.Header, got.Body)
			}
			if (got.Status == 401) != (got.Header.Get("WWW-Authenticate") == `Basic realm="identity"`) {
				t.Errorf("challenge: %v", got.Header)
			}
		})
	}
}

func TestSecretsInTheQueryAreIgnored(t *testing.T) {
	t.Parallel()
	_, api := newAPI(t)
	query := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"bff-partner"}, "client_secret": {identity.DevPartnerSecret},
	}
	if got := api.Do(t, standintest.Request{Method: "POST", Path: "/oauth/token?" + query.Encode()}); got.Status != 400 {
		t.Errorf("answer: %d %s", got.Status, got.Body)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]identity.Config{
		"no secret":               {Issuer: standintest.Issuer},
		"no issuer":               {PartnerSecret: "s"},
		"a relative issuer":       {Issuer: "localhost:9000", PartnerSecret: "s"},
		"another scheme":          {Issuer: "ftp://localhost", PartnerSecret: "s"},
		"an issuer's path":        {Issuer: "http://localhost:9000/", PartnerSecret: "s"},
		"an issuer's query":       {Issuer: "http://localhost:9000?x", PartnerSecret: "s"},
		"an issuer with mail":     {Issuer: "mailto:ada@example.com", PartnerSecret: "s"},
		"a path of bff-web":       {Issuer: standintest.Issuer, PartnerSecret: "s", WebURL: "http://localhost:8080/"},
		"bff-web without a host":  {Issuer: standintest.Issuer, PartnerSecret: "s", WebURL: "http://"},
		"bff-web as a script":     {Issuer: standintest.Issuer, PartnerSecret: "s", WebURL: "javascript://localhost"},
		"tokens good for a blink": {Issuer: standintest.Issuer, PartnerSecret: "s", AccessTokenLifetime: time.Millisecond},
	} {
		if _, err := identity.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
