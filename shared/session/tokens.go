package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"bff.internal/shared/auth"
	"bff.internal/shared/secret"
)

// renew returns the record with new tokens. An ID token that comes along has to be of the same user (OpenID Connect
// Core 1.0, 12.2). The error is an awayError, or a refusedError when the session is over for the provider.
func (p *provider) renew(ctx context.Context, r record) (record, error) {
	d, err := p.metadata(ctx)
	if err != nil {
		return record{}, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), tokenWithin)
	defer cancel()
	token, err := d.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: r.refresh.Reveal()}).Token()
	if err != nil {
		return record{}, grantError(err)
	}
	r.tokens = newTokens(token, r.tokens)
	if token.Extra("id_token") == nil {
		return r, nil
	}
	switch id, err := p.verify(ctx, d, token); {
	case errors.Is(err, errIDToken), err == nil && id.subject != r.subject:
		return record{}, refusedError{"somebody else is signed in"}
	case err == nil:
		r.idToken = id.raw
	}
	return r, nil // also when there are no keys to verify it with: the one before will do
}

// newTokens takes what the provider gave; what it does not say is as it was before.
func newTokens(token *oauth2.Token, before tokens) tokens {
	renewAt, expires := auth.Lifetime(token.Expiry)
	t := tokens{
		access: secret.New(token.AccessToken), refresh: before.refresh, scopes: before.scopes,
		renewAt: renewAt, expires: expires,
	}
	if token.RefreshToken != "" {
		t.refresh = secret.New(token.RefreshToken)
	}
	if scopes, ok := token.Extra("scope").(string); ok && scopes != "" {
		t.scopes = scopes
	}
	return t
}

// grantError says whether the token endpoint refused, or was not there. Nothing of its answer's body goes on.
func grantError(err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || answer.Response == nil {
		return awayError{auth.Unanswered(err)}
	}
	switch status := answer.Response.StatusCode; {
	case answer.ErrorCode == "temporarily_unavailable", answer.ErrorCode == "server_error",
		status != http.StatusBadRequest && status != http.StatusUnauthorized && status != http.StatusForbidden:
		return awayError{fmt.Errorf("the token endpoint answered %d", status)}
	case answer.ErrorCode == "invalid_client", answer.ErrorCode == "unauthorized_client", status == http.StatusUnauthorized:
		// Our own configuration is at fault, and no session ends for that.
		return awayError{fmt.Errorf("the token endpoint does not accept OIDC_CLIENT_ID and OIDC_CLIENT_SECRET: %d %.40s", status, answer.ErrorCode)}
	case answer.ErrorCode == "":
		return awayError{fmt.Errorf("the token endpoint answered %d without a reason", status)}
	default:
		return refusedError{fmt.Sprintf("%.40q", answer.ErrorCode)}
	}
}
