package overload

import (
	"runtime/metrics"
	"time"
)

// Floor is what the limit never goes below.
func (l *Limiter) Floor() int { return l.pace.floor }

// Limit is the limit as it is now.
func (l *Limiter) Limit() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit
}

// InFlight is how many requests are, and of how many callers.
func (l *Limiter) InFlight() (requests, callers int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight, len(l.callers)
}

// NewScheduler knows how long goroutines of this process wait.
func NewScheduler() func() (time.Duration, bool) { return newScheduler().waited }

// Longest is what all but a few of those who had to wait waited at most, and how many they are.
func Longest(h *metrics.Float64Histogram, before []uint64) (time.Duration, uint64) {
	return longest(h, before)
}

// The waits at which the limit changes.
const (
	TooLong     = tooLong
	ShortEnough = shortEnough
	AdaptEvery  = adaptEvery
)
