package session

import (
	"net/http"
	"net/url"
	"strings"
)

// reach sends what is for the issuer to where this process reaches it, and bounds what comes back.
type reach struct {
	issuer, internal string
	next             http.RoundTripper
}

// RoundTrip is [http.RoundTripper]'s.
func (t reach) RoundTrip(req *http.Request) (*http.Response, error) {
	inside, found := strings.CutPrefix(req.URL.String(), strings.TrimSuffix(t.issuer, "/"))
	if found && t.internal != "" && (inside == "" || strings.ContainsAny(inside[:1], "/?")) {
		target, err := url.Parse(strings.TrimSuffix(t.internal, "/") + inside)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.URL, req.Host = target, ""
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}
