package upstream

import (
	"errors"
	"net/http"
	"time"
)

// shed keeps more calls from a service than it can answer in time.
type shed struct {
	next http.RoundTripper
	pool *pool
	gate *gate
}

func (l shed) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	caller, _ := CredentialsFrom(ctx)
	switch err := l.gate.enter(ctx, caller.Key, l.pointless); {
	case errors.Is(err, errPointless): // which fails at once, with the right reason
		return l.next.RoundTrip(req)
	case errors.Is(err, errShed):
		l.pool.telemetry.Metrics.UpstreamShed(l.pool.service)
		return nil, &Error{Service: l.pool.service, Kind: Shed, Err: err}
	case err != nil:
		return nil, wireError(ctx, l.pool.service, err)
	}
	began, what := time.Now(), silent
	defer func() { l.gate.leave(caller.Key, time.Since(began)-callOf(req).paused, what) }() // also when a layer below panics
	resp, err := l.next.RoundTrip(req)
	what = verdictOf(resp, err)
	return resp, err
}

func (l shed) pointless() bool { return !l.pool.admitsAny() }

func verdictOf(resp *http.Response, err error) verdict {
	if err != nil {
		if own, ok := errors.AsType[*Error](err); ok && own.Kind == Timeout {
			return dropped
		}
		return silent
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return dropped
	}
	if !succeeded(resp, err) {
		return silent
	}
	return answered
}
