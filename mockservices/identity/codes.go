package identity

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const codeLifetime = time.Minute

// grant is what a client may do for the user of a session. It does not change.
type grant struct {
	session  *session
	client   string
	scopes   []string
	authTime time.Time
	nonce    string
}

// code is an authorization code: good for one attempt of the client that it was made for.
type code struct {
	grant       grant
	redirectURI string
	challenge   string
	expires     time.Time

	used   bool
	family *family // what came of it; nil for no refresh token
}

// newCode remembers what the code is for and returns its value.
func (m *memory) newCode(c code) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	value := secret()
	c.expires = time.Now().Add(codeLifetime)
	m.codes.Put(value, &c)
	return value
}

// redeem is the grant behind a code, with a refresh token when that was asked for. The first attempt uses up the code,
// whatever check says of it; every further one revokes what came of the first. Attempts of other clients do neither.
func (m *memory) redeem(value, client string, check func(*code) error) (grant, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.codes.Get(value)
	switch {
	case !ok || found.grant.client != client:
		return grant{}, "", errors.New("the code is unknown")
	case found.used:
		if found.family != nil {
			found.family.revoked = true
		}
		return grant{}, "", errors.New("the code was used before")
	}
	found.used = true
	if !time.Now().Before(found.expires) || found.grant.session.ended {
		return grant{}, "", errors.New("the code is too old")
	}
	if err := check(found); err != nil {
		return grant{}, "", err
	}
	if !slices.Contains(found.grant.scopes, oidc.ScopeOfflineAccess) {
		return found.grant, "", nil
	}
	family, refreshToken := m.newFamily(found.grant)
	found.family = family
	return found.grant, refreshToken, nil
}

// CodeExchange gives tokens for a code.
func (s server) CodeExchange(_ context.Context, r *op.ClientRequest[oidc.AccessTokenRequest]) (*op.Response, error) {
	granted, refreshToken, err := s.provider.memory.redeem(r.Data.Code, r.Client.GetID(), func(c *code) error {
		if c.redirectURI != r.Data.RedirectURI {
			return errors.New("the redirect_uri is not the one of the authorization request")
		}
		return op.AuthorizeCodeChallenge(r.Data.CodeVerifier, &oidc.CodeChallenge{
			Challenge: c.challenge, Method: oidc.CodeChallengeMethodS256,
		})
	})
	if err != nil {
		return nil, invalidGrant(err)
	}
	return s.provider.tokens(granted, granted.scopes, refreshToken)
}

// invalidGrant is err as the protocol says it; what is one of its errors already stays that.
func invalidGrant(err error) error {
	if said, ok := errors.AsType[*oidc.Error](err); ok {
		return said
	}
	return oidc.ErrInvalidGrant().WithDescription("%s", err.Error())
}
