package identity

import (
	"context"
	"crypto/subtle"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
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

// discovery is what op's lacks.
type discovery struct {
	oidc.DiscoveryConfiguration

	IssuerInAnswers bool `json:"authorization_response_iss_parameter_supported"` //nolint:tagliatelle // RFC 9207 spells it so
}

// Discovery announces what is served, and nothing else.
func (s server) Discovery(context.Context, *op.Request[struct{}]) (*op.Response, error) {
	issuer, served := s.provider.issuer, endpoints()
	return public(discovery{oidc.DiscoveryConfiguration{
		Issuer:                            issuer,
		AuthorizationEndpoint:             issuer + authorizePath,
		TokenEndpoint:                     served.Token.Absolute(issuer),
		EndSessionEndpoint:                issuer + endSessionPath,
		JwksURI:                           served.JwksURI.Absolute(issuer),
		ScopesSupported:                   []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeOfflineAccess, scopeAPI},
		ResponseTypesSupported:            []string{string(oidc.ResponseTypeCode)},
		ResponseModesSupported:            []string{string(oidc.ResponseModeQuery)},
		GrantTypesSupported:               []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken, oidc.GrantTypeClientCredentials},
		SubjectTypesSupported:             []string{"public"},
		IDTokenSigningAlgValuesSupported:  []string{string(jose.ES256)},
		TokenEndpointAuthMethodsSupported: []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodNone},
		ClaimTypesSupported:               []string{"normal"},
		ClaimsSupported:                   []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "sid", "name"},
		CodeChallengeMethodsSupported:     []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
	}, true}), nil
}

// Keys is the JWKS.
func (s server) Keys(context.Context, *op.Request[struct{}]) (*op.Response, error) {
	return public(s.provider.keys.published()), nil
}

// VerifyClient authenticates a confidential client by its secret; a public one names itself and must not have one.
// Unknown clients and wrong secrets look the same.
func (s server) VerifyClient(_ context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	client, known := s.provider.clients[r.Data.ClientID]
	right := subtle.ConstantTimeCompare([]byte(r.Data.ClientSecret), []byte(client.secret)) == 1
	if !known || !right {
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
	answer, err := s.provider.accessToken(TokenRequest{Client: r.Client.GetID(), Scopes: slices.Clone(r.Data.Scope)})
	if err != nil {
		return nil, err
	}
	return op.NewResponse(answer), nil
}

// accessToken is the answer of the token endpoint with an access token for request in it, and nothing more yet.
func (p *Provider) accessToken(request TokenRequest) (*oidc.AccessTokenResponse, error) {
	claims, err := p.Claims(request)
	if err != nil {
		return nil, err
	}
	token, err := p.Sign(AccessTokenType, claims)
	if err != nil {
		return nil, err
	}
	return &oidc.AccessTokenResponse{
		AccessToken: token,
		TokenType:   oidc.BearerToken,
		ExpiresIn:   uint64(p.lifetime.Seconds()),
		Scope:       claims.scopes(),
	}, nil
}

// public is an answer that anybody may keep for a minute: as long as verifiers take to notice a retired key.
func public(data any) *op.Response {
	response := op.NewResponse(data)
	response.Header.Set("Cache-Control", "public, max-age=60")
	return response
}
