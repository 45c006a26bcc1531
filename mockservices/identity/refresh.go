package identity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const refreshLifetime = 30 * 24 * time.Hour

// family is all refresh tokens that come of one code, of which only the last is good. A token is the family's id, a
// dot and the secret of its place in the family; only who had one of them knows the id.
type family struct {
	grant grant

	secret  string    // of the last token
	expires time.Time // of the last token
	revoked bool
}

// newFamily is a family and its first token.
func (m *memory) newFamily(of grant) (*family, string) {
	of.nonce = "" // it belongs to the first ID token
	begun, id := &family{grant: of}, secret()
	m.families.Put(id, begun)
	return begun, begun.next(id)
}

// next makes another token the last one.
func (f *family) next(id string) string {
	f.secret, f.expires = secret(), time.Now().Add(refreshLifetime)
	return id + "." + f.secret
}

// rotate is the grant behind a refresh token and the token that takes its place. A token of the family that is not the
// last one was stolen from somebody or by somebody: the whole family is revoked. What check refuses, and attempts of
// other clients, change nothing.
func (m *memory) rotate(token, client string, check func(grant) error) (grant, string, error) {
	id, last, _ := strings.Cut(token, ".")
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.families.Get(id)
	if !ok || found.grant.client != client {
		return grant{}, "", errors.New("the refresh token is unknown")
	}
	if !same(last, found.secret) {
		found.revoked = true
	}
	if found.revoked || found.grant.session.ended || !time.Now().Before(found.expires) {
		return grant{}, "", errors.New("the refresh token is no longer good")
	}
	if err := check(found.grant); err != nil {
		return grant{}, "", err
	}
	return found.grant, found.next(id), nil
}

// RefreshToken gives new tokens for a refresh token. Scopes that are left out this time may come back the next.
func (s server) RefreshToken(_ context.Context, r *op.ClientRequest[oidc.RefreshTokenRequest]) (*op.Response, error) {
	scopes := slices.DeleteFunc(slices.Clone(r.Data.Scopes), func(scope string) bool { return scope == "" })
	granted, next, err := s.provider.memory.rotate(r.Data.RefreshToken, r.Client.GetID(), func(g grant) error {
		for _, scope := range scopes {
			if !slices.Contains(g.scopes, scope) {
				return oidc.ErrInvalidScope().WithDescription("a scope was not granted before")
			}
		}
		return nil
	})
	if err != nil {
		return nil, invalidGrant(err)
	}
	if len(scopes) == 0 {
		scopes = granted.scopes
	}
	return s.provider.tokens(granted, scopes, next)
}
