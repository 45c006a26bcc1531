package ratelimit_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
)

// faults fails commands before they are sent, in a way that may be changed.
type faults struct {
	fail  atomic.Pointer[func(context.Context) error]
	asked atomic.Int64
}

// DialHook does nothing.
func (f *faults) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook fails commands.
func (f *faults) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		f.asked.Add(1)
		if fail := f.fail.Load(); fail != nil {
			cmd.SetErr((*fail)(ctx))
			return cmd.Err()
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook does nothing.
func (f *faults) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// refuse is a Redis that is not there.
func (f *faults) refuse() {
	refused := func(context.Context) error { return errors.New("connection refused") }
	f.fail.Store(&refused)
}

// busy is a client whose connections are all in use.
func (f *faults) busy() {
	full := func(context.Context) error { return redis.ErrPoolTimeout }
	f.fail.Store(&full)
}

// hang is a Redis that is frozen.
func (f *faults) hang() {
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	f.fail.Store(&hang)
}

func (f *faults) heal() { f.fail.Store(nil) }

// faulty returns a client and what is wrong with it.
func faulty(tb testing.TB, addr string) (redis.UniversalClient, *faults) {
	tb.Helper()
	client, f := connect(tb, addr), &faults{}
	client.AddHook(f)
	return client, f
}
