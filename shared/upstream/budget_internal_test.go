package upstream

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestABudget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		budget  *extraBudget
		calls   int // before
		tries   int
		apart   time.Duration
		granted int
	}{
		{"retries: less than a fifth of the calls, and one that is overdrawn", newRetryBudget(), 51, 100, 0, 10},
		{"retries: no more than ten are saved", newRetryBudget(), 10_000, 100, 0, 11},
		{"retries: one a second is overdrawn, up to two", newRetryBudget(), 0, 10, time.Second, 2},
		{"retries: not two in a second", newRetryBudget(), 0, 2, 500 * time.Millisecond, 1},
		{"twins: a twentieth of the calls", newHedgeBudget(), 41, 100, 0, 2},
		{"twins: no more than five are saved", newHedgeBudget(), 10_000, 100, 0, 5},
		{"twins: none is free", newHedgeBudget(), 19, 10, time.Minute, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := time.Unix(1_000_000, 0)
			for range tt.calls {
				tt.budget.earn()
			}
			granted := 0
			for range tt.tries {
				if tt.budget.spend(now) {
					granted++
				}
				now = now.Add(tt.apart)
			}
			if granted != tt.granted {
				t.Errorf("%d of %d granted, want %d", granted, tt.tries, tt.granted)
			}
			if b := tt.budget; int(b.granted) != granted || int(b.denied) != tt.tries-granted {
				t.Errorf("counted %d granted and %d denied, want %d and %d", b.granted, b.denied, granted, tt.tries-granted)
			}
		})
	}
}

func TestARefundIsWorthOneAttemptAndNoMoreThanCanBeSaved(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	b := newHedgeBudget()
	for range 20 {
		b.earn()
	}
	if !b.spend(now) || b.spend(now) {
		t.Fatal("20 calls earn one twin")
	}
	b.refund()
	if b.granted != 0 || !b.spend(now) || b.spend(now) {
		t.Errorf("a refund is worth one twin; granted %d", b.granted)
	}
	for range 1000 {
		b.earn()
	}
	if b.refund(); b.saved != hedgeSaved {
		t.Errorf("%v saved, want %v", b.saved, float64(hedgeSaved))
	}
}

func TestABudgetMayBeUsedConcurrently(t *testing.T) {
	t.Parallel()
	b := newHedgeBudget()
	b.most = 1000
	var granted atomic.Int32
	var users sync.WaitGroup
	for range 100 {
		users.Go(func() {
			for range 40 {
				b.earn()
			}
		})
	}
	users.Wait()
	for range 100 {
		users.Go(func() {
			for range 40 {
				if b.spend(time.Time{}) {
					granted.Add(1)
				}
			}
		})
	}
	users.Wait()
	if got := granted.Load(); got < 199 || got > 200 { // a sum of twentieths is a little off
		t.Errorf("%d twins of 4000 calls, want 200", got)
	}
}
