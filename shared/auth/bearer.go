package auth

import (
	"context"
	"net/http"
	"strings"

	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
)

// Bearer returns a middleware that lets requests with a valid bearer token pass (RFC 6750, in the
// Authorization header only). The request's context then carries the Caller and the
// upstream.Credentials, and its telemetry.Event knows who is calling. Any other request goes to fail,
// which has to answer it; the error is as Verify returns it, or a problem.Problem about the header.
func (v *Verifier) Bearer(fail func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := v.challenges.bearer(r.Header["Authorization"])
			if err != nil {
				fail(w, r, err)
				return
			}
			id, err := v.identify(r.Context(), token)
			if err != nil {
				fail(w, r, err)
				return
			}
			ctx := context.WithValue(r.Context(), callerKey{}, id.boxed)
			ctx = upstream.WithCredentials(ctx, upstream.Credentials{Token: secret.New(token), Key: id.key})
			telemetry.EventFrom(ctx).SetCaller(telemetry.Caller{Kind: id.caller.Kind, ID: id.caller.ID})
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// bearer returns the token of a request's Authorization headers. Credentials of another scheme are none.
func (c challenges) bearer(headers []string) (string, error) {
	switch {
	case len(headers) == 0:
		return "", c.missing()
	case len(headers) > 1:
		return "", c.malformed("it comes more than once")
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", c.missing()
	}
	token = strings.TrimLeft(token, " ")
	if token == "" {
		return "", c.malformed("the token is missing")
	}
	if !isB64Token(token) {
		return "", c.malformed("the token has characters that no token has")
	}
	return token, nil
}

// isB64Token reports whether token is what RFC 6750, section 2.1, calls b64token.
func isB64Token(token string) bool {
	body := strings.TrimRight(token, "=")
	for i := range len(body) {
		b := body[i]
		letter, digit := 'a' <= b|0x20 && b|0x20 <= 'z', '0' <= b && b <= '9'
		if !letter && !digit && strings.IndexByte("-._~+/", b) < 0 {
			return false
		}
	}
	return body != ""
}
