package upstream_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// The service that most tests load works on 20 requests of 200 ms at a time, which is 100 in a second.
const (
	slotCount = 20
	slotWork  = 200 * time.Millisecond
	slotPeak  = 100
)

func TestAServiceUnderAnyLoadDoesWhatItCan(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		times   float64 // of what the service can do
		lasts   time.Duration
		callers int
	}{
		{1, time.Minute, 1},
		{2, time.Minute, 1},
		{5, time.Minute, 1},
		{10, time.Minute, 1},
		{2, time.Minute, 20},
		{10, time.Minute, 20},
	} {
		t.Run(fmt.Sprintf("%v times the peak for %v by %d callers", tt.times, tt.lasts, tt.callers), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newSlots(slotWork)
				client := clientOf(t, upstreamtest.Func(service.answer), upstream.Policy{}, "http://users.test")
				got := load{perSecond: int(tt.times * slotPeak), lasts: tt.lasts, callers: tt.callers}.run(t, client)
				peak := slotPeak * int(tt.lasts.Seconds())
				if got.good < peak*9/10 {
					t.Errorf("%d of %d calls that the service could answer were answered, want 90 %%; %v", got.good, peak, got.byKind)
				}
				if shed := got.byKind[upstream.Shed]; got.lateShed*100 > shed {
					t.Errorf("%d of %d calls were not shed at once", got.lateShed, shed)
				}
				if timeouts := got.byKind[upstream.Timeout]; timeouts*100 > got.all {
					t.Errorf("%d of %d calls waited for nothing", timeouts, got.all)
				}
			})
		})
	}
}

func TestWhoeverAsksForMuchWaitsForHimself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newSlots(slotWork)
		client := clientOf(t, upstreamtest.Func(service.answer), upstream.Policy{}, "http://users.test")
		flooded := make(chan *tally, 1)
		go func() {
			flooded <- load{perSecond: 10 * slotPeak, lasts: 10 * time.Second, caller: "flood"}.run(t, client)
		}()
		small := load{perSecond: 10, lasts: 10 * time.Second, caller: "small"}.run(t, client)
		flood := <-flooded
		if small.good*100 < small.all*95 {
			t.Errorf("%d of %d calls of the small caller were answered, want 95 %%; %v; flood: %d of %d, %v",
				small.good, small.all, small.byKind, flood.good, flood.all, flood.byKind)
		}
	})
}

// The service gets a hundred times slower, and not because of the load, which is 70 % of what it then can do.
func TestAServiceThatHasGotSlowIsAskedAsMuchAsItCanDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		quick, slow := newSlots(2*time.Millisecond), newSlots(slotWork)
		changes := time.Now().Add(20 * time.Second)
		client := clientOf(t, upstreamtest.Func(func(req *http.Request) upstreamtest.Answer {
			if time.Now().Before(changes) {
				return quick.answer(req)
			}
			return slow.answer(req)
		}), upstream.Policy{}, "http://users.test")
		load{perSecond: slotPeak * 7 / 10, lasts: 25 * time.Second}.run(t, client)
		after := load{perSecond: slotPeak * 7 / 10, lasts: 20 * time.Second}.run(t, client)
		if after.good*1000 < after.all*999 {
			t.Errorf("five seconds after the change, %d of %d calls were answered; %v", after.good, after.all, after.byKind)
		}
	})
}

func TestTheLimitDoesNotDriftAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newSlots(slotWork)
		begun := time.Now()
		const lasts = 10 * time.Minute
		var longest atomic.Int64 // of the last minute's answers
		client := clientOf(t, upstreamtest.Func(func(req *http.Request) upstreamtest.Answer {
			answer := service.answer(req)
			if time.Since(begun) > lasts-time.Minute {
				longest.Store(max(longest.Load(), int64(answer.After)))
			}
			return answer
		}), upstream.Policy{}, "http://users.test")
		var answered atomic.Int32
		var callers sync.WaitGroup
		for range 200 {
			callers.Go(func() {
				for time.Since(begun) < lasts {
					if _, err := get(t.Context(), client); err != nil {
						t.Error(err)
					}
					answered.Add(1)
				}
			})
		}
		callers.Wait()
		if got, peak := int(answered.Load()), slotPeak*int(lasts.Seconds()); got < peak*9/10 {
			t.Errorf("%d of %d calls that the service could answer were answered, want 90 %%", got, peak)
		}
		if got := time.Duration(longest.Load()); got > 5*slotWork {
			t.Errorf("in the end the service took up to %v for what is %v of work, want what waits to wait here", got, slotWork)
		}
	})
}
