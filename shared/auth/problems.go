package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"bff.internal/shared/problem"
)

// refusal is why a token is not accepted, in words that are safe inside a challenge's quotes and tell
// nothing that the caller did not send.
type refusal string

const (
	errMalformed     refusal = "the token is malformed"
	errTooLong       refusal = "the token is longer than 8 KiB"
	errWrongType     refusal = "the token is no access token"
	errCritical      refusal = "the token has critical headers that are not understood"
	errWrongMethod   refusal = "the token is signed with an algorithm that is not accepted"
	errUnnamedKey    refusal = "the token names no key"
	errUnknownKey    refusal = "the token is signed with an unknown key"
	errBadSignature  refusal = "the signature of the token is invalid"
	errExpired       refusal = "the token is expired"
	errNotYetValid   refusal = "the token is not valid yet"
	errWrongIssuer   refusal = "the token is of another issuer"
	errWrongAudience refusal = "the token is for another audience"
	errMissingClaim  refusal = "the token lacks a required claim"
	errBadSubject    refusal = "the token has no usable subject"
	errBound         refusal = "the token is bound to a key and cannot be used as a bearer token"
)

// Error says why, for the log and for the caller.
func (r refusal) Error() string { return string(r) }

// unavailable says that the issuer's keys are not known, so that nothing can be said about the token.
type unavailable struct {
	cause error
	wait  time.Duration
}

// Error says why, for the log.
func (u *unavailable) Error() string { return "the keys of the issuer are unknown: " + u.cause.Error() }

// Unwrap returns why the keys could not be fetched.
func (u *unavailable) Unwrap() error { return u.cause }

// reason translates an error of the JWT library. What it does not know is malformed.
func reason(err error) refusal {
	if own, ok := errors.AsType[refusal](err); ok {
		return own
	}
	for _, known := range []struct {
		err     error
		refusal refusal
	}{
		{jwt.ErrTokenSignatureInvalid, errBadSignature},
		{jwt.ErrTokenRequiredClaimMissing, errMissingClaim},
		{jwt.ErrTokenInvalidIssuer, errWrongIssuer},
		{jwt.ErrTokenInvalidAudience, errWrongAudience},
		{jwt.ErrTokenExpired, errExpired},
		{jwt.ErrTokenNotValidYet, errNotYetValid},
		{jwt.ErrTokenUsedBeforeIssued, errNotYetValid},
	} {
		if errors.Is(err, known.err) {
			return known.refusal
		}
	}
	return errMalformed
}

// challenges makes the failures of one protected resource.
type challenges struct {
	realm  string
	scopes []string
}

// refused is the failure of a token that was checked, or could not be.
func (c challenges) refused(err error) error {
	if away, ok := errors.AsType[*unavailable](err); ok {
		return problem.New(http.StatusServiceUnavailable, "identity_unavailable",
			"It cannot be checked at the moment who you are. Please try again.").
			RetryAfter(away.wait).Because(away)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("waiting for the keys of the issuer: %w", err)
	}
	why := reason(err)
	return problem.New(http.StatusUnauthorized, "invalid_token", "The access token was refused: "+string(why)+".").
		With("WWW-Authenticate", c.challenge("invalid_token", string(why))).Because(err)
}

// missing is the failure of a request without credentials; RFC 6750 wants no error in its challenge.
func (c challenges) missing() error {
	return problem.New(http.StatusUnauthorized, "missing_token", "An access token is required.").
		With("WWW-Authenticate", "Bearer realm=\""+c.realm+"\"")
}

// malformed is the failure of a request whose credentials cannot even be read.
func (c challenges) malformed(what string) error {
	return problem.New(http.StatusBadRequest, "invalid_request", "The Authorization header is malformed: "+what+".").
		With("WWW-Authenticate", c.challenge("invalid_request", what))
}

// forbidden is the failure of a valid token that lacks a scope.
func (c challenges) forbidden(lacks string) error {
	scopes := strings.Join(c.scopes, " ")
	return problem.New(http.StatusForbidden, "insufficient_scope", "The access token lacks a scope; it needs: "+scopes+".").
		With("WWW-Authenticate", c.challenge("insufficient_scope", "the token lacks a scope")+", scope=\""+scopes+"\"").
		Because(errors.New("without scope " + lacks))
}

func (c challenges) challenge(code, description string) string {
	return "Bearer realm=\"" + c.realm + "\", error=\"" + code + "\", error_description=\"" + description + "\""
}
