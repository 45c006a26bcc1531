package identity

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"
)

// AccessTokenType is the typ of access tokens (RFC 9068).
const AccessTokenType = "at+jwt"

// TokenRequest is whom a token is for.
type TokenRequest struct {
	// User is who the client acts for: any id of 1 to 64 visible ASCII characters is a user.
	// Empty means that the client acts for itself. The client table says which of the two a client does.
	User string
	// Client is an id of the client table.
	Client string
	// Scopes is what the token allows; nil means what the client gets when it asks for none: all but offline_access.
	Scopes []string
}

// Claims is what an access token says (RFC 9068); times are in seconds since 1970.
type Claims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	ClientID  string `json:"client_id"` //nolint:tagliatelle // RFC 9068 spells it so
	ExpiresAt int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	ID        string `json:"jti"`
	Scope     string `json:"scope"`
}

// Mint is the access token that the token endpoint would issue for request.
func (p *Provider) Mint(request TokenRequest) (string, error) {
	claims, err := p.Claims(request)
	if err != nil {
		return "", err
	}
	return p.Sign(AccessTokenType, claims)
}

// Claims is what an access token for request says when it is issued now. To have a token that differs from a good one
// in a single point, as tests do, change that point and Sign the rest.
func (p *Provider) Claims(request TokenRequest) (Claims, error) {
	client, ok := p.clients[request.Client]
	switch {
	case !ok:
		return Claims{}, fmt.Errorf("client %q is unknown", request.Client)
	case client.forUsers && !validUser(request.User):
		return Claims{}, fmt.Errorf("client %q acts for users: a user is 1 to 64 visible ASCII characters", client.id)
	case !client.forUsers && request.User != "":
		return Claims{}, fmt.Errorf("client %q acts for itself, not for users", client.id)
	}
	subject, scopes := client.id, client.scopes
	if client.forUsers {
		subject = request.User
	}
	if request.Scopes != nil {
		scopes = request.Scopes
	}
	now := time.Now()
	return Claims{
		Issuer:    p.issuer,
		Subject:   subject,
		Audience:  client.audience,
		ClientID:  client.id,
		ExpiresAt: now.Add(p.lifetime).Unix(),
		IssuedAt:  now.Unix(),
		ID:        rand.Text(),
		Scope:     strings.Join(scopes, " "),
	}, nil
}

// Sign signs claims, anything that is a JSON object, with the current key as a JWT of the given typ. It judges nothing:
// every token of this provider, good or not, comes through here.
func (p *Provider) Sign(typ string, claims any) (string, error) {
	return p.keys.sign(typ, claims)
}

func (c Claims) scopes() []string { return strings.Fields(c.Scope) }

func validUser(id string) bool {
	const most = 64
	return id != "" && len(id) <= most && !strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' })
}
