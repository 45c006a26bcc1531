package session

import (
	"context"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/singleflight"
)

// share gives all who ask for the same at the same time one answer. f goes on when they leave, so it bounds itself; who
// leaves gets the error of ctx. Whoever asks after group.Forget(key) gets an answer that was begun after that.
func share[T any](ctx context.Context, group *singleflight.Group, key string, f func(context.Context) (T, error)) (T, error) {
	var none T
	select {
	case got := <-shareLater(ctx, group, key, f):
		if got.Err != nil {
			return none, got.Err
		}
		return got.Val.(T), nil //nolint:forcetypeassert // f returns nothing else
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// shareLater is share for those who need not wait for the answer.
func shareLater[T any](ctx context.Context, group *singleflight.Group, key string, f func(context.Context) (T, error)) <-chan singleflight.Result {
	return group.DoChan(key, func() (value any, err error) {
		defer func() {
			if thrown := recover(); thrown != nil { // or the process would end
				err = fmt.Errorf("panic: %v\n%s", thrown, debug.Stack())
			}
		}()
		return f(context.WithoutCancel(ctx))
	})
}
