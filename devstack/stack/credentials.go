package stack

import (
	"context"
	"net/url"

	"bff.internal/devstack/credentials"
	"bff.internal/mockservices/identity"
)

// DevPepper is the KEY_PEPPER of the dev stack, so that bff-partner keys can make keys for it.
const DevPepper = "dev-only-pepper-that-everybody-knows"

// newCredentials returns what answers /dev/credentials and /dev/session.
func (s *Stack) newCredentials() *credentials.Handler {
	return credentials.New(credentials.Config{
		Edge:           s.external,
		EdgeInternal:   url.URL{Scheme: "http", Host: s.listener.Addr().String()},
		Issuer:         *target(s.Issuer),
		IssuerInternal: *target(s.Identity),
		Password:       identity.DevPassword,
		PartnerKey:     s.partnerKey.Get,
		Log:            s.log,
	})
}

// Credentials returns an access token of the user for bff-mobile, good for five minutes. It comes out of the process and
// not of a login, so that a test can have thousands, and can break or count what clients ask Identity for.
func (s *Stack) Credentials(user string) (token string, err error) {
	return s.identity.Mint(identity.TokenRequest{User: user, Client: "mobile-app"})
}

// PartnerKey returns an API key of the demo partner for bff-partner, with all scopes.
func (s *Stack) PartnerKey(ctx context.Context) (string, error) { return s.partnerKey.Get(ctx) }

// SignIn signs the user in at bff-web as a browser would, page by page, and returns the cookie that a browser would
// have then, as it goes into the header Cookie.
func (s *Stack) SignIn(ctx context.Context, user string) (cookie string, err error) {
	return s.credentials.SignIn(ctx, user)
}
