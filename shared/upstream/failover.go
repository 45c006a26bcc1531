package upstream

import (
	"errors"
	"net/http"
	"time"
)

// failover gives every attempt a request of its own, addressed to a replica that the call has not asked yet. Replicas
// are taken in an order shuffled per attempt; one that is ejected or whose circuit is open costs nothing, so the next
// is asked. The ejected ones come last: where no other admits the attempt, they are better than nobody.
type failover struct {
	next       http.RoundTripper
	pool       *pool
	retries    *extraBudget // earned by calls, as are
	reconnects *extraBudget
}

func (l failover) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	extra := call.extra.Load() // then this is a retry or a twin, which go where all is well
	if !extra {
		l.retries.earn()
		l.reconnects.earn()
	}
	var order turns
	shuffled := l.pool.shuffled(&order)
	passedOver := shuffled[:0]
	for _, i := range shuffled {
		if call.hasAsked(int(i)) {
			continue
		}
		r := l.pool.replicas[i]
		admitted, probe := l.pool.admit(r, call.repeatable, extra)
		if !admitted {
			passedOver = append(passedOver, i)
			continue
		}
		call.probes.Store(probe)
		if resp, err := l.ask(req, r, probe); !errors.Is(err, errOpen) {
			return resp, err
		}
	}
	if extra {
		passedOver = nil
	}
	for _, i := range passedOver {
		if resp, err := l.ask(req, l.pool.replicas[i], false); !errors.Is(err, errOpen) {
			return resp, err
		}
	}
	return nil, &Error{Service: l.pool.service, Kind: BreakerOpen, Err: errOpen}
}

// ask makes an attempt at the replica, unless the call has asked it in the meantime.
func (l failover) ask(req *http.Request, r *replica, probe bool) (resp *http.Response, err error) {
	err = errOpen // also for judge, when a layer below panics
	defer func() { l.pool.judge(req.Context(), r, probe, resp, err) }()
	if !callOf(req).ask(r.index) {
		return nil, err
	}
	began := time.Now()
	r.inFlight.Add(1)
	defer r.inFlight.Add(-1)
	resp, err = l.next.RoundTrip(attempt(req, r))
	// One that was overtaken has taken even longer; without it, whoever is slow would seem never to answer.
	if succeeded(resp, err) || overtaken(req.Context(), err) {
		now := time.Now()
		l.pool.took(r, now.Sub(began), now)
	}
	return resp, err
}

// attempt is the request as one replica gets it; layers below may change its header.
func attempt(req *http.Request, r *replica) *http.Request {
	target := *req.URL
	target.Scheme, target.Host = r.url.Scheme, r.url.Host
	if r.url.Path != "" {
		target.Path = r.url.Path + req.URL.Path
		target.RawPath = r.url.EscapedPath() + req.URL.EscapedPath()
	}
	own := *req
	own.URL = &target
	own.Header = req.Header.Clone()
	if req.GetBody != nil {
		own.Body, _ = req.GetBody() // of what is in memory: it never fails
		if callOf(req).repeatable {
			own.GetBody = nil // or net/http would repeat a write with a key on its own account
		}
	}
	return &own
}
