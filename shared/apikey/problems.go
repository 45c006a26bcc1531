package apikey

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"bff.internal/shared/problem"
)

// retryAfter is when to try again what did not work because Redis was away.
const retryAfter = time.Second

func (g *Guard) challenge(code string) string {
	if code == "" {
		return fmt.Sprintf("Bearer realm=%q", g.realm)
	}
	return fmt.Sprintf("Bearer realm=%q, error=%q", g.realm, code)
}

// missing is the failure of a request without a key; RFC 6750 wants no error in its challenge.
func (g *Guard) missing() error {
	return problem.New(http.StatusUnauthorized, "missing_key",
		"An API key is required: as Authorization: Bearer <key>, or as X-API-Key: <key>.").
		With("WWW-Authenticate", g.challenge(""))
}

// refused is the failure of a key that is not good, or not any more.
func (g *Guard) refused(why string) *problem.Problem {
	return problem.New(http.StatusUnauthorized, "invalid_key", "The API key was refused: "+why+".").
		With("WWW-Authenticate", g.challenge("invalid_token"))
}

// malformed is the failure of a request whose key cannot even be read.
func (g *Guard) malformed(what string) error {
	return problem.New(http.StatusBadRequest, "invalid_request", "The API key cannot be read: "+what+".").
		With("WWW-Authenticate", g.challenge("invalid_request"))
}

func (g *Guard) inURL() error {
	return problem.New(http.StatusBadRequest, "key_in_url",
		"An API key belongs into a header and never into a URL, which is logged on its way. Have this key revoked, and send the next one as Authorization: Bearer <key>.").
		With("WWW-Authenticate", g.challenge("invalid_request"))
}

// forbidden is the failure of a good key that lacks a scope.
func (g *Guard) forbidden(scope string) error {
	return problem.New(http.StatusForbidden, "insufficient_scope", "The API key lacks a scope; it needs: "+scope+".").
		With("WWW-Authenticate", g.challenge("insufficient_scope")+fmt.Sprintf(", scope=%q", scope))
}

// unavailable is the failure of a request whose key cannot be looked up. That of a client who left stays what it is.
func unavailable(request context.Context, err error) error {
	if request.Err() != nil {
		return request.Err()
	}
	return problem.New(http.StatusServiceUnavailable, "identity_unavailable",
		"It cannot be checked at the moment whose key this is. Please try again.").RetryAfter(retryAfter).Because(err)
}
