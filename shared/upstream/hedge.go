package upstream

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const (
	// Every call earns a twentieth of a twin.
	hedgeShare = 0.05
	hedgeSaved = 5
	// hedgeAtLeast keeps twins from calls of services that answer at once anyway.
	hedgeAtLeast = 5 * time.Millisecond
	// probePatience is how many times longer a twin of a probe waits.
	probePatience = 4
)

// hedge gives a slow GET a twin at another replica: when the first has taken longer than 19 of 20 answers do, as long as
// the budget lasts. The first useful answer wins, and the other attempt is cancelled. A failure is given back at once,
// unless a twin is under way.
type hedge struct {
	next   http.RoundTripper
	pool   *pool
	budget *extraBudget
}

func newHedgeBudget() *extraBudget {
	return &extraBudget{share: hedgeShare, most: hedgeSaved}
}

func (l hedge) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	if call.extra.Load() { // a retry has no twin
		return l.next.RoundTrip(req)
	}
	l.budget.earn()
	_, p95 := l.pool.latencies.quantiles(time.Now())
	if p95 == 0 || req.Method != http.MethodGet {
		return l.next.RoundTrip(req)
	}
	return l.race(req, max(p95, hedgeAtLeast))
}

// race is a first attempt and the twin that it may get.
type race struct {
	hedge

	after  time.Duration
	twin   *http.Request
	first  context.CancelCauseFunc // cancels the first attempt
	winner atomic.Int32
	ended  chan struct{}  // closed when the twin has its answer, or was not sent
	resp   *http.Response // the twin's, to be read once it has ended
	err    error
}

const (
	nobody = iota
	theFirst
	theTwin
)

func (l hedge) race(req *http.Request, after time.Duration) (*http.Response, error) {
	firstCtx, cancelFirst := context.WithCancelCause(req.Context())
	defer cancelFirst(nil)
	twinCtx, cancelTwin := context.WithCancel(req.Context())
	defer cancelTwin()
	r := &race{hedge: l, after: after, twin: req.WithContext(twinCtx), first: cancelFirst, ended: make(chan struct{}), err: errNotSent}
	timer := time.AfterFunc(after, r.second)
	defer timer.Stop() // also when a layer below panics

	resp, err := l.next.RoundTrip(req.WithContext(firstCtx))
	if timer.Stop() {
		return resp, err
	}
	if succeeded(resp, err) && r.winner.CompareAndSwap(nobody, theFirst) {
		cancelTwin()
		<-r.ended
		return resp, err
	}
	// The twin has won, or is the only hope left.
	<-r.ended
	if succeeded(r.resp, r.err) {
		return r.resp, r.err
	}
	return resp, err
}

var errNotSent = errors.New("the twin was not sent")

// second sends the twin, if anybody admits it and the budget allows it.
func (r *race) second() {
	defer close(r.ended)
	call := callOf(r.twin)
	if call.probes.Load() && !sleep(r.twin.Context(), probePatience*r.after) { // or one that is only slower would never be back
		return
	}
	if !r.pool.admits(call) || r.winner.Load() != nobody || !r.budget.spend(time.Now()) {
		return
	}
	if !call.claimExtra() {
		r.budget.refund()
		return
	}
	defer func() {
		if thrown := recover(); thrown != nil { // nobody else would
			r.resp, r.err = nil, &panicError{thrown, debug.Stack()}
		}
	}()
	r.resp, r.err = r.next.RoundTrip(r.twin)
	if errors.Is(r.err, errOpen) { // since it was asked whether anybody admits it
		r.budget.refund()
		return
	}
	r.pool.telemetry.Metrics.ExtraAttempt(r.pool.service, "hedge")
	if succeeded(r.resp, r.err) && r.winner.CompareAndSwap(nobody, theTwin) {
		r.first(errOvertaken)
	}
}
