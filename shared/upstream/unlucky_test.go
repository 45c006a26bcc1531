package upstream_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

const threeReplicas = "http://a.test,http://b.test,http://c.test"

// Nothing is dead that is away for a moment.
func TestAMomentWithoutANetworkOpensNoCircuit(t *testing.T) {
	t.Parallel()
	for _, urls := range []string{"http://a.test", threeReplicas} {
		t.Run(urls, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var until atomic.Int64
				client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
					if time.Now().UnixNano() < until.Load() {
						return upstreamtest.Answer{Err: io.EOF}
					}
					return upstreamtest.Answer{After: 20 * time.Millisecond, Body: `{"id":"1"}`}
				}), upstream.Policy{}, urls)
				load{perSecond: 500, lasts: 5 * time.Second}.run(t, client)
				until.Store(time.Now().Add(50 * time.Millisecond).UnixNano())
				got := load{perSecond: 500, lasts: 2 * time.Second}.run(t, client)
				if failed := got.all - got.good; failed == 0 || failed > 80 {
					t.Errorf("%d of %d calls failed in a moment of 50 ms: %v", failed, got.all, got.byKind)
				}
			})
		})
	}
}

// One caller asks ten times a second for what the service fails at.
func TestWhoeverMakesAServiceFailSpoilsItForNobodyElse(t *testing.T) {
	t.Parallel()
	for _, burst := range []int{10, 20} {
		t.Run(fmt.Sprintf("%d at a time", burst), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := clientOf(t, upstreamtest.Func(func(req *http.Request) upstreamtest.Answer {
					if req.URL.Path == "/poison" {
						return upstreamtest.Answer{After: 2 * time.Millisecond, Status: http.StatusInternalServerError}
					}
					return upstreamtest.Answer{After: 20 * time.Millisecond, Body: `{"id":"1"}`}
				}), upstream.Policy{}, "http://a.test")
				ctx, stop := context.WithCancel(upstream.WithCredentials(t.Context(), upstream.Credentials{Key: "poisoner"}))
				var all sync.WaitGroup
				all.Go(func() {
					for ctx.Err() == nil {
						<-time.After(time.Second)
						for i := range burst {
							target := upstream.Target{Path: []string{"poison"}, Query: url.Values{"n": {strconv.Itoa(i)}}}
							all.Go(func() { _, _ = upstream.Get[thing](ctx, client, target) })
						}
					}
				})
				got := load{perSecond: 100, lasts: 20 * time.Second, caller: "victim"}.run(t, client)
				stop()
				all.Wait()
				if got.good*100 < got.all*98 {
					t.Errorf("%d of %d calls of others were answered: %v", got.good, got.all, got.byKind)
				}
			})
		})
	}
}

// The service works on 20 calls of 200 ms, and callers have twice as much time.
func TestAFloodLeavesOthersTheirShareThoughTimeIsShort(t *testing.T) {
	t.Parallel()
	for _, times := range []int{2, 5, 10} {
		t.Run(fmt.Sprintf("%d times the peak", times), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newSlots(slotWork)
				client := clientOf(t, upstreamtest.Func(service.answer), upstream.Policy{}, "http://a.test")
				const deadline = 2 * slotWork
				victim := load{perSecond: slotPeak / 10, lasts: 20 * time.Second, caller: "victim", deadline: deadline}
				victim.run(t, client)
				flooded := make(chan *tally)
				go func() {
					flooded <- load{perSecond: times * slotPeak, lasts: 20 * time.Second, caller: "flood", deadline: deadline}.run(t, client)
				}()
				got := victim.run(t, client)
				flood := <-flooded
				if got.good*100 < got.all*90 {
					t.Errorf("%d of %d calls of the other were answered: %v", got.good, got.all, got.byKind)
				}
				if goodput := got.good + flood.good; goodput < slotPeak*20*9/10 {
					t.Errorf("%d calls were answered in all, want 90 %% of %d", goodput, slotPeak*20)
				}
			})
		})
	}
}
