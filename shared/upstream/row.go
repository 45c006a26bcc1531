package upstream

import (
	"sync"
	"time"
)

const (
	// inARow is how many failures in a row make a replica one that may be dead. With 20 calls in flight, 29 have been
	// made by then.
	inARow = 10
	// noLife is for how long nothing may have succeeded until it is.
	noLife = 100 * time.Millisecond
	// lookEvery is how often a call sees whether it is, in the meantime.
	lookEvery = 50 * time.Millisecond
)

// row is the failures of a replica since its last success. The zero value has seen none. It may be used concurrently.
type row struct {
	mu        sync.Mutex
	failures  int
	silent    int       // calls since then that say nothing
	began     time.Time // when the first of the calls that failed was made
	succeeded time.Time // when the last call succeeded
	looked    time.Time // when a call was last let through to see
}

// judge takes in the end of a call that was made at that time. When the replica may be dead from now on, it returns when
// that will be clear; otherwise 0.
func (r *row) judge(what verdict, made time.Time) (clearAfter time.Duration) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch what {
	case answered:
		r.failures, r.silent, r.succeeded = 0, 0, now
	case silent:
		r.silent++
	case dropped:
		if r.failures++; r.failures == 1 || made.Before(r.began) {
			r.began = made
		}
		if r.failures == inARow {
			r.looked = now
			return max(1, noLife-now.Sub(r.began), noLife-now.Sub(r.succeeded))
		}
	}
	return 0
}

// suspect reports whether the replica may be dead.
func (r *row) suspect() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.enough()
}

func (r *row) enough() bool {
	return r.failures >= inARow && float64(r.failures) >= enoughOfAll*float64(r.failures+r.silent)
}

// dead reports whether it is: enough calls have failed, and for long enough none was answered.
func (r *row) dead(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.enough() && now.Sub(r.began) >= noLife && now.Sub(r.succeeded) >= noLife
}

// look claims the next call that may see whether it is.
func (r *row) look(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.looked) < lookEvery {
		return false
	}
	r.looked = now
	return true
}

// reset forgets the failures, which a circuit that has changed has answered for.
func (r *row) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures, r.silent = 0, 0
}
