package upstream

import (
	"sync"
	"time"
)

// extraBudget bounds the attempts beyond the first to a share of all calls. It may be used concurrently.
type extraBudget struct {
	share float64 // of a token that each call brings
	most  float64 // tokens that can be saved
	// floor is how often an attempt is allowed though nothing is saved, up to so many that calls have yet to earn; 0
	// means never.
	floor     time.Duration
	overdraft float64

	mu      sync.Mutex
	saved   float64
	last    time.Time // when the floor was used
	granted uint64
	denied  uint64
}

// earn counts a call.
func (b *extraBudget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saved = min(b.most, b.saved+b.share)
}

// spend takes a token, if there is one.
func (b *extraBudget) spend(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.saved >= 1:
		b.saved--
	case b.floor > 0 && now.Sub(b.last) >= b.floor && b.saved-1 >= -b.overdraft:
		b.saved--
		b.last = now
	default:
		b.denied++
		return false
	}
	b.granted++
	return true
}

// refund gives a token back for an attempt that was not made.
func (b *extraBudget) refund() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saved = min(b.most, b.saved+1)
	b.granted--
}

// state is what /upstreams says of the budget.
func (b *extraBudget) state() BudgetStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return BudgetStatus{Saved: max(0, b.saved), Most: b.most, Granted: b.granted, Denied: b.denied}
}
