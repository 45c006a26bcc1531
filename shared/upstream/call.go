package upstream

import (
	"context"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"bff.internal/shared/cache"
)

// call is what the layers know in common about one logical call. It is the call's context, so that each of them
// finds it at the price of one allocation.
type call struct {
	context.Context

	// repeatable says that asking twice does no more than asking once.
	repeatable bool
	// decode makes the value of the content of an answer, which is an as.
	decode func(content []byte) (any, error)
	as     reflect.Type
	// unread says that nobody waits for the answer.
	unread bool

	from   cache.Status  // of the answer
	shared *flight       // the call that somebody else had made, if the answer comes from one
	asked  atomic.Uint64 // the replicas that were asked, by their index
	extra  atomic.Bool   // the one attempt beyond the first is taken
	paused time.Duration // before the retry
	probes atomic.Bool   // the first attempt tries an ejected replica
}

// behind is a call for the same, whose answer nobody waits for.
func (c *call) behind(ctx context.Context) *call {
	return &call{Context: ctx, repeatable: c.repeatable, decode: c.decode, as: c.as, unread: true}
}

type callKey struct{}

// Value also finds the call itself.
func (c *call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// callOf returns the call that the request belongs to.
func callOf(req *http.Request) *call {
	return req.Context().Value(callKey{}).(*call) //nolint:forcetypeassert // Client makes no request without one
}

// ask claims a replica for an attempt. It is false when the call has asked that replica before.
func (c *call) ask(replica int) bool {
	bit := uint64(1) << replica
	return c.asked.Or(bit)&bit == 0
}

func (c *call) hasAsked(replica int) bool { return c.asked.Load()&(1<<replica) != 0 }

// claimExtra claims the only attempt that a call may make beyond its first, be it a retry or a twin.
func (c *call) claimExtra() bool { return c.extra.CompareAndSwap(false, true) }
