package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"bff.internal/shared/problem"
)

var (
	errReplayed = errors.New("the answer to this login has come before")
	errIssuer   = errors.New("the answer is not from our provider")
)

// retryAfter is when to try again what did not work because of somebody else.
const retryAfter = time.Second

// problem says how an error of this package looks from outside. That of a client who left stays what it is.
func (m *Manager) problem(r *http.Request, err error) error {
	if r.Context().Err() != nil {
		return r.Context().Err()
	}
	bad := func(code, detail string) error { return problem.New(http.StatusBadRequest, code, detail).Because(err) }
	_, storeAway := errors.AsType[storeError](err)
	_, providerAway := errors.AsType[awayError](err)
	declined, isDeclined := errors.AsType[declinedError](err)
	_, refused := errors.AsType[refusedError](err)
	switch {
	case errors.Is(err, errNoRecord):
		return problem.New(http.StatusUnauthorized, "no_session", "Nobody is signed in, or not any more. Sign in to go on.").
			With("WWW-Authenticate", `Cookie realm="`+m.app.Name+`"`).Because(err)
	case storeAway:
		return problem.New(http.StatusServiceUnavailable, "session_unavailable",
			"Sessions cannot be read at the moment. Nobody is signed out; please try again.").RetryAfter(retryAfter).Because(err)
	case providerAway, isDeclined && (declined.code == "temporarily_unavailable" || declined.code == "server_error"):
		return problem.New(http.StatusServiceUnavailable, "identity_unavailable",
			"The identity provider does not answer at the moment. Please try again.").RetryAfter(retryAfter).Because(err)
	case errors.Is(err, errReturnTo):
		return bad("invalid_return_to", "returnTo has to be a path of this host, such as /web/.")
	case errors.Is(err, errStateExpired):
		return bad("login_expired", "Signing in took too long. Please sign in again.")
	case errors.Is(err, errState), errors.Is(err, errStateForeign), errors.Is(err, errReplayed):
		return bad("invalid_state", "This answer belongs to no login that is under way in this browser. Please sign in again.")
	case isDeclined:
		return bad("login_refused", "The identity provider did not sign you in.")
	case errors.Is(err, errIssuer), errors.Is(err, errIDToken), refused:
		return bad("login_failed", "The answer to the login was not the one that was expected. Please sign in again.")
	case errors.Is(err, context.DeadlineExceeded):
		return problem.New(http.StatusServiceUnavailable, "session_unavailable", "That took too long. Please try again.").RetryAfter(retryAfter).Because(err)
	default:
		return err
	}
}
