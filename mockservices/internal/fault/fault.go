// Package fault breaks a stand-in on purpose: latency, error statuses and requests that hang.
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

// plan is one set of faults, from the PUT that began it to the PUT or DELETE that ended it.
type plan struct {
	asked   settings
	latency time.Duration // before every request
	status  int           // of a broken request; 0 leaves requests whole
	hang    bool          // broken requests hang and have no status
	rate    float64       // the share of requests that break
	ended   chan struct{} // closed when another plan takes over
}

// New is a stand-in without faults.
func New() *Faults {
	faults := new(Faults)
	faults.current.Store(&plan{ended: make(chan struct{})})
	return faults
}

// Inject is next with the faults in front of it. A request that hung until the faults ended is then served as if
// nothing had been; one whose context ended first is answered 503, for whoever may still be listening.
func (f *Faults) Inject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plan := f.current.Load()
		if plan.latency > 0 || plan.hang {
			readAhead(r)
		}
		if !wait(r.Context(), plan.latency) {
			answer.Error(w, answer.NewProblem(http.StatusServiceUnavailable, "stopping", "the service stops"))
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
				answer.Error(w, answer.NewProblem(http.StatusServiceUnavailable, "stopping", "the service stops"))
			}
		case plan.status != 0:
			answer.Error(w, answer.NewProblem(plan.status, "injected_fault", "this status was asked for at /_faults"))
		default:
			next.ServeHTTP(w, r)
		}
	})
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

// wait lets d pass and reports whether it did so before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
