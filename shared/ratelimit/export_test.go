package ratelimit

// Remembered is how many callers this process has buckets of.
func (l *Limiter) Remembered() int {
	l.local.mu.Lock()
	defer l.local.mu.Unlock()
	return len(l.local.callers)
}
