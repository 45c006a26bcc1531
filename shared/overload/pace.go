package overload

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// adaptEvery is how often the limit may change.
	adaptEvery = 100 * time.Millisecond
	// tooLong is a wait for a CPU that only happens when there is more to do than CPUs for it. A request waits some ten
	// times, so it is late by then, and can still be in time.
	tooLong = 20 * time.Millisecond
	// shortEnough is a wait at which there is room for more. Between the two, the limit stays.
	shortEnough = 10 * time.Millisecond
)

// pace is what the limit follows.
type pace struct {
	began       time.Time
	floor, most int

	looked atomic.Int64 // when, since it began
	mu     sync.Mutex   // held by the request that looks
	judged time.Duration
}

// due reports whether it is for this request to look at the pace, which then unlocks mu.
func (p *pace) due(now time.Duration) bool {
	if now-time.Duration(p.looked.Load()) < adaptEvery || !p.mu.TryLock() {
		return false
	}
	if now-time.Duration(p.looked.Load()) < adaptEvery { // another request has just been here
		p.mu.Unlock()
		return false
	}
	p.looked.Store(int64(now))
	return true
}

// adapt changes the limit, if it is time to.
func (l *Limiter) adapt() {
	p := &l.pace
	now := time.Since(p.began)
	if !p.due(now) {
		return
	}
	defer p.mu.Unlock()
	waited, ok := l.deps.Waited()
	if !ok {
		return
	}
	times := int((now - p.judged) / adaptEvery)
	p.judged = now

	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case waited > tooLong:
		// From what was needed: after a quiet time the limit is far above, and would take seconds to be felt.
		l.limit = max(p.floor, min(l.limit, l.needed)*7/8)
	case waited < shortEnough:
		// Also when it was not needed, for the same reason: nothing is lost by a limit that is too high for now, and one that
		// is too low turns away the next ones who come.
		l.limit = min(p.most, l.limit+max(1, l.limit/16)*times)
	}
	l.needed = l.inFlight
	l.deps.Metrics.InFlightLimit(l.limit)
}
