package identity

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	idTokenType     = "JWT"
	idTokenLifetime = 5 * time.Minute
)

// idClaims is what an ID token says (OpenID Connect Core, 2): for the client, and never good at a service.
//
//nolint:tagliatelle // the standard spells them so
type idClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"` // the client's id
	ExpiresAt int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	AuthTime  int64  `json:"auth_time"`
	SessionID string `json:"sid"`
	Nonce     string `json:"nonce,omitempty"`
	Name      string `json:"name,omitempty"`
}

// tokens is the answer of the token endpoint for scopes, which are some or all of the grant's.
func (p *Provider) tokens(granted grant, scopes []string, refreshToken string) (*op.Response, error) {
	answer, err := p.accessToken(TokenRequest{User: granted.session.user, Client: granted.client, Scopes: scopes})
	if err != nil {
		return nil, err
	}
	answer.RefreshToken = refreshToken
	if slices.Contains(scopes, oidc.ScopeOpenID) {
		if answer.IDToken, err = p.idToken(granted, scopes); err != nil {
			return nil, err
		}
	}
	return op.NewResponse(answer), nil
}

func (p *Provider) idToken(granted grant, scopes []string) (string, error) {
	now := time.Now()
	claims := idClaims{
		Issuer:    p.issuer,
		Subject:   granted.session.user,
		Audience:  granted.client,
		ExpiresAt: now.Add(idTokenLifetime).Unix(),
		IssuedAt:  now.Unix(),
		AuthTime:  granted.authTime.Unix(),
		SessionID: granted.session.sid,
		Nonce:     granted.nonce,
	}
	if slices.Contains(scopes, oidc.ScopeProfile) {
		claims.Name = nameOf(granted.session.user)
	}
	return p.Sign(idTokenType, claims)
}

// nameOf is what a user is called.
func nameOf(user string) string {
	switch user {
	case "ada":
		return "Ada Lovelace"
	case "grace":
		return "Grace Hopper"
	default:
		return user
	}
}

// hint is what an id_token_hint says. It must be an ID token of ours; whether it has expired does not matter.
func (p *Provider) hint(raw string) (idClaims, error) {
	payload, err := p.keys.verify(idTokenType, raw)
	if err != nil {
		return idClaims{}, err
	}
	var claims idClaims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return idClaims{}, err
	}
	if _, known := p.clients[claims.Audience]; !known || claims.Issuer != p.issuer || claims.SessionID == "" {
		return idClaims{}, errors.New("it is no ID token of this provider")
	}
	return claims, nil
}
