package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/internal/standintest"
)

func TestMint(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	tests := []struct {
		name    string
		request identity.TokenRequest
		want    identity.Claims
	}{
		{
			"for a user of the mobile app",
			identity.TokenRequest{User: "ada", Client: "mobile-app"},
			identity.Claims{Subject: "ada", Audience: "bff-mobile", ClientID: "mobile-app", Scope: "openid profile"},
		},
		{
			"for a user of the web",
			identity.TokenRequest{User: "grace", Client: "bff-web"},
			identity.Claims{Subject: "grace", Audience: "bff-web", ClientID: "bff-web", Scope: "openid profile"},
		},
		{
			"for the client for partners",
			identity.TokenRequest{Client: "bff-partner"},
			identity.Claims{Subject: "bff-partner", Audience: "bff-partner", ClientID: "bff-partner", Scope: "api"},
		},
		{
			"with other scopes",
			identity.TokenRequest{User: "ada", Client: "mobile-app", Scopes: []string{"a", "b"}},
			identity.Claims{Subject: "ada", Audience: "bff-mobile", ClientID: "mobile-app", Scope: "a b"},
		},
		{
			"without scopes",
			identity.TokenRequest{User: "ada", Client: "mobile-app", Scopes: []string{}},
			identity.Claims{Subject: "ada", Audience: "bff-mobile", ClientID: "mobile-app"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			minted, err := provider.Mint(test.request)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Issuer = standintest.Issuer
			expect(t, provider, minted, test.want)
		})
	}
}

func TestMintRefuses(t *testing.T) {
	t.Parallel()
	provider := standintest.NewIdentity(t)
	for name, request := range map[string]identity.TokenRequest{
		"an unknown client":                   {User: "ada", Client: "bff-tv"},
		"no client":                           {User: "ada"},
		"a client for users without a user":   {Client: "mobile-app"},
		"a client for itself with a user":     {User: "ada", Client: "bff-partner"},
		"a user whose id has a space in it":   {User: "ada lovelace", Client: "mobile-app"},
		"a user whose id is longer than life": {User: strings.Repeat("a", 65), Client: "mobile-app"},
	} {
		if minted, err := provider.Mint(request); err == nil {
			t.Errorf("%s gets %s", name, minted)
		}
	}
}

// expect fails the test unless raw is an access token of the provider that says what want says and is good from now on
// for five minutes.
func expect(t *testing.T, provider *identity.Provider, raw string, want identity.Claims) {
	t.Helper()
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims identity.Claims
	if err := parsed.Claims(keys(t, provider), &claims); err != nil {
		t.Fatal(err)
	}
	header := parsed.Headers[0]
	if header.KeyID == "" || header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
		t.Errorf("header: %+v", header)
	}
	age := time.Since(time.Unix(claims.IssuedAt, 0))
	if age < 0 || age > time.Minute || claims.ExpiresAt-claims.IssuedAt != 300 || claims.ID == "" {
		t.Errorf("good from %d to %d, named %q", claims.IssuedAt, claims.ExpiresAt, claims.ID)
	}
	if diff := cmp.Diff(want, claims, cmpopts.IgnoreFields(claims, "ExpiresAt", "IssuedAt", "ID")); diff != "" {
		t.Error(diff)
	}
}
