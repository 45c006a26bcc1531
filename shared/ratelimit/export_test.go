package ratelimit

import "time"

// patience is what a machine that is busy with something else may need to answer.
const patience = 10 * time.Second

// Patient makes the limiter wait for Redis.
func (l *Limiter) Patient() { l.within = patience }

// Patient makes the replica wait for Redis.
func (r *Replicas) Patient() { r.within = patience }

// Remembered is how many callers this process has buckets of.
func (l *Limiter) Remembered() int {
	l.local.mu.Lock()
	defer l.local.mu.Unlock()
	return len(l.local.callers)
}
