package main

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/sony/gobreaker/v2"

	"bff.internal/shared/upstream"
)

const (
	attempts      = 3
	kept          = 100 // idle connections to a replica
	discardAtMost = 64 << 10
)

// transport gives the calls to each service its replicas in turn, three attempts, and a circuit.
type transport struct {
	next     http.RoundTripper
	services map[string]*service // by the host of each of its replicas
}

type service struct {
	replicas []*url.URL
	turn     atomic.Uint64
	circuit  *gobreaker.CircuitBreaker[*http.Response]
}

// newTransport returns a transport for these services. Requests to anybody else go as they are.
func newTransport(services ...upstream.Replicas) *transport {
	base := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // nobody has replaced it
	base.Proxy = nil
	base.MaxIdleConnsPerHost = kept
	t := &transport{next: base, services: map[string]*service{}}
	for _, replicas := range services {
		s := &service{replicas: replicas, circuit: gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{})} //nolint:bodyclose // nothing was asked yet
		for _, replica := range replicas {
			t.services[replica.Host] = s
		}
	}
	return t
}

// RoundTrip returns the last answer or error. Bodies of requests are sent once only.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	s := t.services[req.URL.Host]
	if s == nil {
		return t.next.RoundTrip(req)
	}
	return s.circuit.Execute(func() (*http.Response, error) { return t.try(s, req) })
}

// errServer makes a 5xx a failure for the circuit.
var errServer = errors.New("the service answered 5xx")

func (t *transport) try(s *service, req *http.Request) (resp *http.Response, err error) {
	for range attempts {
		resp, err = t.next.RoundTrip(addressed(req, s.replicas[s.turn.Add(1)%uint64(len(s.replicas))]))
		if err == nil && resp.StatusCode < http.StatusInternalServerError {
			return resp, nil
		}
		if err == nil {
			_, _ = io.CopyN(io.Discard, resp.Body, discardAtMost) // the connection may be kept
			_ = resp.Body.Close()
			err = errServer
		}
	}
	return nil, err
}

// addressed is the request to one of the replicas.
func addressed(req *http.Request, replica *url.URL) *http.Request {
	own := req.Clone(req.Context())
	own.URL.Scheme, own.URL.Host, own.Host = replica.Scheme, replica.Host, ""
	return own
}
