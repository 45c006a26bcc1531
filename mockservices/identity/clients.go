package identity

import (
	"regexp"
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
	secret   string // empty: the client is public and cannot authenticate
	audience string // of its access tokens, exactly one
	grants   []oidc.GrantType
	scopes   []string // that it may ask for, and gets when it asks for none
	forUsers bool     // acts for users, never for itself; otherwise for itself only

	redirects  []string       // where answers to authorization requests may go
	loopback   *regexp.Regexp // further such URIs; nil for none
	afterwards []string       // where browsers may go after signing out
}

// loopbackCallback is any port of this machine's own addresses (RFC 8252, 7.3), and not a byte more.
var loopbackCallback = regexp.MustCompile(`^http://(?:127\.0\.0\.1|\[::1\]):[1-9][0-9]{0,4}/callback$`)

// clientTable is all clients, by id.
func clientTable(cfg Config) map[string]client {
	logins := []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken}
	table := make(map[string]client)
	for _, row := range []client{
		{
			id:       "mobile-app",
			audience: "bff-mobile",
			grants:   logins,
			scopes:   []string{oidc.ScopeOpenID, oidc.ScopeProfile},
			forUsers: true,
			loopback: loopbackCallback,
		},
		{
			id:         "bff-web",
			secret:     cfg.WebSecret,
			audience:   "bff-web",
			grants:     logins,
			scopes:     []string{oidc.ScopeOpenID, oidc.ScopeProfile},
			forUsers:   true,
			redirects:  []string{cfg.WebURL + "/web/callback"},
			afterwards: []string{cfg.WebURL + "/web/"},
		},
		{
			id:       "bff-partner",
			secret:   cfg.PartnerSecret,
			audience: "bff-partner",
			grants:   []oidc.GrantType{oidc.GrantTypeClientCredentials},
			scopes:   []string{scopeAPI},
		},
	} {
		table[row.id] = row
	}
	return table
}

// redirectsTo reports whether answers to authorization requests may go to uri, which is compared as it was written.
func (c client) redirectsTo(uri string) bool {
	return slices.Contains(c.redirects, uri) || c.loopback != nil && c.loopback.MatchString(uri)
}

// endsAt reports whether browsers may be sent to uri after signing out.
func (c client) endsAt(uri string) bool { return slices.Contains(c.afterwards, uri) }

var _ op.Client = client{}

// What follows is how op sees a row.

// GetID is the client's id.
func (c client) GetID() string { return c.id }

// GrantTypes is what the client may use the token endpoint for.
func (c client) GrantTypes() []oidc.GrantType { return c.grants }

// IsScopeAllowed reports whether the client may ask for scope. To be let in while the user is away is for those who
// know what to do with a refresh token.
func (c client) IsScopeAllowed(scope string) bool {
	return slices.Contains(c.scopes, scope) ||
		scope == oidc.ScopeOfflineAccess && slices.Contains(c.grants, oidc.GrantTypeRefreshToken)
}

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

// RedirectURIs is the fixed ones: authorize.go, not op, serves authorization requests.
func (c client) RedirectURIs() []string { return c.redirects }

// PostLogoutRedirectURIs is where browsers may go after signing out.
func (c client) PostLogoutRedirectURIs() []string { return c.afterwards }

// ResponseTypes is the one that authorize.go knows.
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

// LoginURL is empty: login.go finds its own way.
func (c client) LoginURL(string) string { return "" }

// IDTokenLifetime is what idtoken.go gives.
func (c client) IDTokenLifetime() time.Duration { return idTokenLifetime }

// IDTokenUserinfoClaimsAssertion is false: idtoken.go says what is in an ID token.
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
