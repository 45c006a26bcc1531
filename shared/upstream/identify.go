package upstream

import (
	"net/http"

	"bff.internal/shared/telemetry"
)

// identify puts the caller's token and the request's id on every request to a service.
type identify struct{ next http.RoundTripper }

func (l identify) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if credentials, ok := CredentialsFrom(ctx); ok {
		req.Header["Authorization"] = []string{"Bearer " + credentials.Token.Reveal()}
	}
	if id := telemetry.EventFrom(ctx).RequestID(); id != "" {
		req.Header["X-Request-Id"] = []string{id}
	}
	return l.next.RoundTrip(req)
}
