package session

import (
	"context"
	"errors"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"bff.internal/shared/secret"
)

// idToken is what an ID token says.
type idToken struct {
	raw                                   secret.String
	subject, name, providerSession, nonce string
}

// verify reads the ID token of an answer (OpenID Connect Core 1.0, 3.1.3.7). The error is an awayError or errIDToken.
func (p *provider) verify(ctx context.Context, d *discovered, token *oauth2.Token) (idToken, error) {
	raw, _ := token.Extra("id_token").(string)
	keys := &observedKeys{KeySet: d.keys}
	id, err := oidc.NewVerifier(p.cfg.Issuer, keys, &oidc.Config{ClientID: p.cfg.ClientID, SupportedSigningAlgs: d.algorithms}).Verify(ctx, raw)
	if keys.away != nil {
		return idToken{}, awayError{shortened(keys.away)}
	}
	if err != nil {
		return idToken{}, errors.Join(errIDToken, shortened(err))
	}
	var claims struct {
		Name            string `json:"name"`
		ProviderSession string `json:"sid"`
		AuthorizedParty string `json:"azp"`
	}
	switch err := id.Claims(&claims); {
	case err != nil:
		return idToken{}, errors.Join(errIDToken, shortened(err))
	case id.Subject == "":
		return idToken{}, errors.Join(errIDToken, errors.New("it names nobody"))
	case len(id.Audience) > 1 && claims.AuthorizedParty != p.cfg.ClientID,
		claims.AuthorizedParty != "" && claims.AuthorizedParty != p.cfg.ClientID:
		return idToken{}, errors.Join(errIDToken, errors.New("it is for another client"))
	case id.AccessTokenHash != "" && id.VerifyAccessToken(token.AccessToken) != nil:
		return idToken{}, errors.Join(errIDToken, errors.New("it goes with another access token"))
	}
	return idToken{secret.New(raw), id.Subject, claims.Name, claims.ProviderSession, id.Nonce}, nil
}

// observedKeys remembers for one verification that the keys could not be fetched, which go-oidc does not tell from a
// signature that is wrong.
type observedKeys struct {
	oidc.KeySet

	away error
}

// VerifySignature is that of the key set.
func (k *observedKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, jwt)
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		k.away = err
	}
	return payload, err
}
