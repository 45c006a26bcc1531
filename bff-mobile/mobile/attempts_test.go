package mobile_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// attempts is a transport that remembers which requests it was given.
type attempts struct {
	http.RoundTripper

	count func(what string)

	mu   sync.Mutex
	made map[string][]*attempt // by request id
}

type attempt struct {
	host string
	over bool
	body body // of its answer
}

// body knows whether it was closed. The zero value is none.
type body struct {
	io.ReadCloser

	closed atomic.Bool
}

// Close is what an exchange ends with.
func (b *body) Close() error {
	b.closed.Store(true)
	return b.ReadCloser.Close()
}

// What attempts beyond the first are.
const (
	aRetry = "a retry"
	aTwin  = "a twin"
)

// RoundTrip is one attempt, whatever net/http makes of it.
func (a *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	this := &attempt{host: req.URL.Host}
	a.note(req.Header.Get("X-Request-Id"), this)
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		this.over = true
	}()
	resp, err := a.RoundTripper.RoundTrip(req)
	if err == nil {
		this.body.ReadCloser = resp.Body
		resp.Body = &this.body
	}
	return resp, err
}

func (a *attempts) note(id string, this *attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, other := range a.made[id] {
		switch {
		case serviceOf(other.host) != serviceOf(this.host):
		case other.over:
			a.count(aRetry)
		default:
			a.count(aTwin)
		}
	}
	a.made[id] = append(a.made[id], this)
}

// hosts are those that were asked for the request at the service, in the order of the attempts.
func (a *attempts) hosts(id, service string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var hosts []string
	for _, made := range a.made[id] {
		if serviceOf(made.host) == service {
			hosts = append(hosts, made.host)
		}
	}
	return hosts
}

// ended reports whether all attempts for the request are over, with the bodies of their answers.
func (a *attempts) ended(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !slices.ContainsFunc(a.made[id], func(this *attempt) bool {
		return !this.over || this.body.ReadCloser != nil && !this.body.closed.Load()
	})
}

// serviceOf is the service that a replica's address begins with.
func serviceOf(host string) string {
	return strings.TrimRight(strings.TrimSuffix(host, ".test"), "0123456789")
}
