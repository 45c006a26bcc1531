package identity

import (
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What the scopes of the table allow.
const (
	scopeAPI = "api" // to call the services for partners
)

// client is a row of the client table.
type client struct {
	id       string
	secret   string // empty: the client cannot authenticate
	audience string // of its access tokens, exactly one
	grants   []oidc.GrantType
	scopes   []string // that it may ask for, and gets when it asks for none
	forUsers bool     // acts for users, never for itself; otherwise for itself only
}

// clientTable is all clients, by id.
func clientTable(partnerSecret string) map[string]client {
	table := make(map[string]client)
	for _, row := range []client{
		{
			id:       "mobile-app",
			audience: "bff-mobile",
			scopes:   []string{oidc.ScopeOpenID, oidc.ScopeProfile},
			forUsers: true,
		},
		{
			id:       "bff-web",
			audience: "bff-web",
			scopes:   []string{oidc.ScopeOpenID, oidc.ScopeProfile},
			forUsers: true,
		},
		{
			id:       "bff-partner",
			secret:   partnerSecret,
			audience: "bff-partner",
			grants:   []oidc.GrantType{oidc.GrantTypeClientCredentials},
			scopes:   []string{scopeAPI},
		},
	} {
		table[row.id] = row
	}
	return table
}

var _ op.Client = client{}

// What follows is how op sees a row.

// GetID is the client's id.
func (c client) GetID() string { return c.id }

// GrantTypes is what the client may use the token endpoint for.
func (c client) GrantTypes() []oidc.GrantType { return c.grants }

// IsScopeAllowed reports whether the client may ask for scope.
func (c client) IsScopeAllowed(scope string) bool { return slices.Contains(c.scopes, scope) }

// AuthMethod is how the client authenticates; with Basic, op takes the secret from a form as well.
func (c client) AuthMethod() oidc.AuthMethod {
	if c.secret == "" {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

// ApplicationType tells confidential clients from public ones.
func (c client) ApplicationType() op.ApplicationType {
	if c.secret == "" {
		return op.ApplicationTypeNative
	}
	return op.ApplicationTypeWeb
}

// AccessTokenType is Bearer: op's own JWTs say "typ": "JWT", so tokens are signed in claims.go instead.
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }

// RedirectURIs is empty: no client can log in a user.
func (c client) RedirectURIs() []string { return nil }

// PostLogoutRedirectURIs is empty for the same reason.
func (c client) PostLogoutRedirectURIs() []string { return nil }

// ResponseTypes is empty for the same reason.
func (c client) ResponseTypes() []oidc.ResponseType { return nil }

// LoginURL is empty for the same reason.
func (c client) LoginURL(string) string { return "" }

// IDTokenLifetime is zero for the same reason.
func (c client) IDTokenLifetime() time.Duration { return 0 }

// IDTokenUserinfoClaimsAssertion is false for the same reason.
func (c client) IDTokenUserinfoClaimsAssertion() bool { return false }

// RestrictAdditionalIdTokenScopes restricts nothing.
//
//nolint:revive // op spells it so
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string { return slices.Clone }

// RestrictAdditionalAccessTokenScopes restricts nothing.
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return slices.Clone }

// DevMode is off: no rule of op is relaxed.
func (c client) DevMode() bool { return false }

// ClockSkew is zero: tokens are good from when they are issued.
func (c client) ClockSkew() time.Duration { return 0 }
