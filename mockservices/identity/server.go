package identity

import (
	"context"
	"crypto/subtle"
	"net/http"
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// server answers the protocol, one method for each thing that a client can ask for. op has parsed and checked the
// form of the request by then; methods that are not here answer "unsupported". The interface is marked experimental
// until op's version 4: the version is pinned.
type server struct {
	op.UnimplementedServer

	provider *Provider
}

// Discovery announces what is served, and nothing else.
func (s server) Discovery(context.Context, *op.Request[struct{}]) (*op.Response, error) {
	issuer, served := s.provider.issuer, endpoints()
	return public(&oidc.DiscoveryConfiguration{
		Issuer:                            issuer,
		TokenEndpoint:                     served.Token.Absolute(issuer),
		JwksURI:                           served.JwksURI.Absolute(issuer),
		GrantTypesSupported:               []oidc.GrantType{oidc.GrantTypeClientCredentials},
		SubjectTypesSupported:             []string{"public"},
		TokenEndpointAuthMethodsSupported: []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost},
		ScopesSupported:                   []string{scopeAPI},
	}), nil
}

// Keys is the JWKS.
func (s server) Keys(context.Context, *op.Request[struct{}]) (*op.Response, error) {
	return public(s.provider.keys.published()), nil
}

// VerifyClient authenticates a confidential client by its secret. Unknown clients and wrong secrets look the same.
func (s server) VerifyClient(_ context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	client, known := s.provider.clients[r.Data.ClientID]
	right := subtle.ConstantTimeCompare([]byte(r.Data.ClientSecret), []byte(client.secret)) == 1
	if !known || client.secret == "" || !right {
		return nil, op.NewStatusError(oidc.ErrInvalidClient(), http.StatusUnauthorized)
	}
	return client, nil
}

// ClientCredentialsExchange gives a client a token for itself, with the scopes it asked for or else all of its own.
func (s server) ClientCredentialsExchange(
	_ context.Context, r *op.ClientRequest[oidc.ClientCredentialsRequest],
) (*op.Response, error) {
	for _, scope := range r.Data.Scope {
		if !r.Client.IsScopeAllowed(scope) {
			return nil, oidc.ErrInvalidScope().WithDescription("scope %q is not for this client", scope)
		}
	}
	claims, err := s.provider.Claims(TokenRequest{Client: r.Client.GetID(), Scopes: slices.Clone(r.Data.Scope)})
	if err != nil {
		return nil, err
	}
	token, err := s.provider.Sign(AccessTokenType, claims)
	if err != nil {
		return nil, err
	}
	return op.NewResponse(&oidc.AccessTokenResponse{
		AccessToken: token,
		TokenType:   oidc.BearerToken,
		ExpiresIn:   uint64(AccessTokenLifetime.Seconds()),
		Scope:       claims.scopes(),
	}), nil
}

// public is an answer that anybody may keep for a minute: as long as verifiers take to notice a retired key.
func public(data any) *op.Response {
	response := op.NewResponse(data)
	response.Header.Set("Cache-Control", "public, max-age=60")
	return response
}
