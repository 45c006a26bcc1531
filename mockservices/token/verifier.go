// Package token verifies access tokens (RFC 9068) as each upstream service does by itself: upstreams trust nobody.
package token

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// PartnerClient is the one client that acts for partners' accounts.
const PartnerClient = "bff-partner"

const (
	leeway   = 10 * time.Second
	maxToken = 8 << 10 // bytes
)

// Issuer is who must have signed a token.
type Issuer struct {
	// ID is the issuer exactly as tokens name it in iss.
	ID string
	// URL is where the issuer is reached, with its keys under /keys; empty means at ID.
	URL string
	// Transport makes the calls for the keys; nil means a plain one that keeps no connection.
	Transport http.RoundTripper
}

// Verifier tells who a token speaks for. It keeps the issuer's keys, which it fetches when a token needs them:
// it starts nothing, needs no closing, and it does not matter who comes up first, issuer or verifier.
// Safe for concurrent use; the services of one process may share one.
type Verifier struct {
	keys   keyfunc.Keyfunc
	parser *jwt.Parser
}

// Caller is who a verified token speaks for.
type Caller struct {
	Subject string // the user's id, or the client's own when it acts for itself
	Client  string // the client that the token was issued to
}

// User is the id of the user that the client acts for; false when the client acts for itself.
func (c Caller) User() (string, bool) {
	return c.Subject, c.Subject != c.Client
}

// NewVerifier accepts access tokens of issuer for any of the three BFFs (a short-cut of stand-ins).
func NewVerifier(issuer Issuer) *Verifier {
	if issuer.URL == "" {
		issuer.URL = issuer.ID
	}
	if issuer.Transport == nil {
		// One call a minute is not worth an open connection.
		issuer.Transport = &http.Transport{DisableKeepAlives: true}
	}
	keys, err := keyfunc.New(keyfunc.Options{Storage: newKeySet(strings.TrimSuffix(issuer.URL, "/")+"/keys", issuer.Transport)})
	if err != nil {
		panic("token: " + err.Error()) // only without a storage
	}
	return &Verifier{keys: keys, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
		jwt.WithIssuer(issuer.ID),
		jwt.WithAudience("bff-mobile", "bff-web", PartnerClient),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(),
	)}
}

// verify is the caller that raw, a compact JWT, speaks for. It may fetch the issuer's keys, within ctx.
func (v *Verifier) verify(ctx context.Context, raw string) (Caller, error) {
	if len(raw) > maxToken {
		return Caller{}, errors.New("the token is too long")
	}
	var claims claims
	_, err := v.parser.ParseWithClaims(raw, &claims, func(parsed *jwt.Token) (any, error) {
		if err := checkHeader(parsed.Header); err != nil {
			return nil, err
		}
		return v.keys.KeyfuncCtx(ctx)(parsed)
	})
	if err != nil {
		return Caller{}, err
	}
	return Caller{Subject: claims.Subject, Client: claims.ClientID}, nil
}

// checkHeader judges what neither the parser nor keyfunc does, before any key is looked up.
func checkHeader(header map[string]any) error {
	typ, _ := header["typ"].(string)
	kid, _ := header["kid"].(string)
	_, critical := header["crit"]
	switch {
	case !slices.Contains([]string{"at+jwt", "application/at+jwt"}, strings.ToLower(typ)):
		return errors.New("typ is not at+jwt")
	case kid == "":
		return errors.New("kid is missing")
	case critical:
		return errors.New("crit names what we do not understand")
	default:
		return nil
	}
}

type claims struct {
	jwt.RegisteredClaims

	ClientID string `json:"client_id"` //nolint:tagliatelle // RFC 9068 spells it so
}

// Validate is called by the parser after the registered claims have been judged.
func (c claims) Validate() error {
	switch {
	case len(c.Audience) != 1:
		return errors.New("aud is not exactly one audience")
	case c.Subject == "":
		return errors.New("sub is missing")
	case c.ClientID == "":
		return errors.New("client_id is missing")
	default:
		return nil
	}
}
