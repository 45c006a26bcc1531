package upstream

import (
	"net/http"

	"bff.internal/shared/cache"
)

// changing sees to it that nobody reads what was before his change: afterwards, all that the caller has got from the
// service is forgotten, and no call that was in flight is shared. A change that failed counts as well, for it may have
// been made.
type changing struct {
	next    http.RoundTripper
	service string
	answers *cache.Store
}

func (l changing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return l.next.RoundTrip(req)
	}
	credentials, _ := CredentialsFrom(req.Context())
	defer l.answers.Changed(credentials.Key, l.service)
	return l.next.RoundTrip(req)
}
