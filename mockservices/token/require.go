package token

import (
	"errors"
	"net/http"
	"strings"

	"bff.internal/mockservices/internal/answer"
)

// HandlerFunc serves an authenticated request. An error it returns is answered as a problem.
type HandlerFunc func(w http.ResponseWriter, r *http.Request, caller Caller) error

// Require calls next with the caller whose bearer token (RFC 6750) came with the request. Without a good token it
// answers 401 itself, 400 for a malformed header, and 503 when the issuer's keys cannot be had.
func (v *Verifier) Require(next HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		caller, err := v.authenticate(r)
		if err == nil {
			err = next(w, r, caller)
		}
		if err != nil {
			answer.Error(w, err)
		}
	}
}

func (v *Verifier) authenticate(r *http.Request) (Caller, error) {
	credentials := r.Header.Values("Authorization")
	if len(credentials) > 1 {
		return Caller{}, challenge(http.StatusBadRequest, "invalid_request", "Authorization is there twice")
	}
	scheme, raw, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Caller{}, challenge(http.StatusUnauthorized, "", "a bearer token is required")
	}
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return Caller{}, challenge(http.StatusBadRequest, "invalid_request", "the bearer token is missing")
	}
	caller, err := v.verify(r.Context(), raw)
	if errors.Is(err, errUnavailable) {
		problem := answer.NewProblem(http.StatusServiceUnavailable, "keys_unavailable", err.Error())
		problem.Header = http.Header{"Retry-After": {"1"}}
		return Caller{}, problem
	}
	if err != nil {
		return Caller{}, challenge(http.StatusUnauthorized, "invalid_token", err.Error())
	}
	return caller, nil
}

// challenge is a problem with WWW-Authenticate; code is RFC 6750's, empty when there were no credentials to judge.
func challenge(status int, code, detail string) *answer.Problem {
	header := `Bearer realm="upstream"`
	if code != "" {
		header += `, error="` + code + `"`
	} else {
		code = "unauthenticated"
	}
	problem := answer.NewProblem(status, code, detail)
	problem.Header = http.Header{"Www-Authenticate": {header}}
	return problem
}
