// Package fault breaks a stand-in on purpose: latency, a queue for a few slots, stragglers, error statuses and requests
// that hang.
package fault

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"bff.internal/mockservices/internal/answer"
)

// Faults is what is wrong with one stand-in at the moment; at first nothing is. Safe for concurrent use.
type Faults struct {
	current atomic.Pointer[plan]
}

// New is a stand-in without faults.
func New() *Faults {
	faults := new(Faults)
	faults.current.Store(&plan{ended: make(chan struct{})})
	return faults
}

// Inject is next with the faults in front of it. A request that hung or queued until the faults ended is then served as
// if nothing had been; one whose context ended first is answered 503, for whoever may still be listening.
func (f *Faults) Inject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plan := f.current.Load()
		if plan.delays() {
			readAhead(r)
		}
		if !plan.delay(r.Context()) {
			stopping(w)
			return
		}
		if rand.Float64() >= plan.rate { //nolint:gosec // nobody gains from knowing which request breaks
			next.ServeHTTP(w, r)
			return
		}
		switch {
		case plan.hang:
			select {
			case <-plan.ended:
				next.ServeHTTP(w, r)
			case <-r.Context().Done():
				stopping(w)
			}
		case plan.status != 0:
			answer.Error(w, answer.NewProblem(plan.status, "injected_fault", "this status was asked for at /_faults"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func stopping(w http.ResponseWriter) {
	answer.Error(w, answer.NewProblem(http.StatusServiceUnavailable, "stopping", "the service stops"))
}

// delay lets pass what a request has to wait, and reports whether it did so before ctx ended.
func (p *plan) delay(ctx context.Context) bool {
	more := p.stragglers.next()
	if p.slots == nil {
		return wait(ctx, p.latency+more, nil)
	}
	return wait(ctx, p.latency, nil) && wait(ctx, p.slots.book(more), p.ended)
}

// readAhead buffers the start of the body: net/http notices that a client left only once its body has been read.
func readAhead(r *http.Request) {
	const most = 1 << 20
	// What cannot be read here cannot be read later either: the handler gets to see the error.
	start, _ := io.ReadAll(io.LimitReader(r.Body, most))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), r.Body), r.Body}
}

// wait lets d pass, or less when enough is closed, and reports whether it did so before ctx ended. A nil enough never is.
func wait(ctx context.Context, d time.Duration, enough <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-enough:
		return true
	case <-ctx.Done():
		return false
	}
}
