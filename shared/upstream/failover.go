package upstream

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
)

// failover gives every attempt a request of its own, addressed to a replica. Replicas are taken in an
// order shuffled per request; one whose circuit does not admit the call costs nothing, so the next is
// asked.
type failover struct {
	next     http.RoundTripper
	service  string
	replicas Replicas
}

func (l failover) RoundTrip(req *http.Request) (*http.Response, error) {
	var err error
	for _, i := range rand.Perm(len(l.replicas)) { //nolint:gosec // spreads load, keeps no secret
		var resp *http.Response
		resp, err = l.next.RoundTrip(attempt(req, l.replicas[i]))
		if !errors.Is(err, errOpen) {
			return resp, err
		}
	}
	return nil, &Error{Service: l.service, Kind: BreakerOpen, Err: err}
}

// attempt is the request as one replica gets it; layers below may change its header.
func attempt(req *http.Request, replica *url.URL) *http.Request {
	target := *req.URL
	target.Scheme, target.Host = replica.Scheme, replica.Host
	if replica.Path != "" {
		target.Path = replica.Path + req.URL.Path
		target.RawPath = replica.EscapedPath() + req.URL.EscapedPath()
	}
	own := *req
	own.URL = &target
	own.Header = req.Header.Clone()
	return &own
}
