// Package budget is the time that one request spends on Redis, shared by all who ask it something for that request: a
// Redis that is slow costs each request so much once, and not once for every step.
package budget

import (
	"context"
	"time"
)

// Redis is what all Redis work of a request may take.
const Redis = 120 * time.Millisecond

type deadlineKey struct{}

// Share returns a context for the rest of the request, in which Within has until d from now in all.
func Share(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, deadlineKey{}, time.Now().Add(d))
}

// Within returns a context for one step in Redis, which ends after d, or when what Share gave is over. The caller calls
// cancel.
func Within(ctx context.Context, d time.Duration) (step context.Context, cancel context.CancelFunc) {
	deadline := time.Now().Add(d)
	if shared, ok := ctx.Value(deadlineKey{}).(time.Time); ok && shared.Before(deadline) {
		deadline = shared
	}
	return context.WithDeadline(ctx, deadline)
}
