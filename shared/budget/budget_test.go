package budget_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/budget"
)

func TestStepsShareWhatARequestHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		left := func(ctx context.Context) time.Duration {
			step, cancel := budget.Within(ctx, budget.Redis)
			defer cancel()
			deadline, _ := step.Deadline()
			return time.Until(deadline)
		}
		request := budget.Share(t.Context(), budget.Redis)
		if got := left(request); got != budget.Redis {
			t.Errorf("the first step has %v", got)
		}
		time.Sleep(100 * time.Millisecond)
		if got := left(request); got != 20*time.Millisecond {
			t.Errorf("the next one has %v", got)
		}
		if got := left(t.Context()); got != budget.Redis {
			t.Errorf("one of nobody's request has %v", got)
		}
		short, cancel := context.WithTimeout(request, 5*time.Millisecond)
		defer cancel()
		if got := left(short); got != 5*time.Millisecond {
			t.Errorf("one of a request that ends has %v", got)
		}
		time.Sleep(time.Second)
		step, done := budget.Within(request, budget.Redis)
		defer done()
		if step.Err() == nil {
			t.Error("one that comes too late may begin")
		}
	})
}
