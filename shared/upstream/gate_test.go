package upstream_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/problem"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

var good = upstreamtest.Answer{Body: `{"id":"1"}`}

// crowd is a service that knows how many requests it had at a time.
type crowd struct {
	takes time.Duration

	now, most atomic.Int32
}

func (c *crowd) RoundTrip(req *http.Request) (*http.Response, error) {
	now := c.now.Add(1)
	defer c.now.Add(-1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
	return upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
		return upstreamtest.Answer{After: c.takes, Body: `{"id":"1"}`}
	}).RoundTrip(req)
}

func TestNoMoreCallsAreInFlightThanTheLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		policy      upstream.Policy
		calls, each int // so many callers, so many calls of each
		least, most int32
	}{
		{"nothing is known of the service", upstream.Policy{}, 45, 1, 20, 20},
		{"one at a time", upstream.Policy{MaxInFlight: 1, MaxWaiting: 50}, 50, 4, 1, 1},
		{"few at a time", upstream.Policy{MaxInFlight: 3, MaxWaiting: 50}, 50, 4, 3, 3},
		{"a service that takes more gets more", upstream.Policy{}, 400, 40, 200, 256},
		{"as many as the policy allows", upstream.Policy{MaxInFlight: 30, MaxWaiting: 100}, 100, 20, 30, 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &crowd{takes: 50 * time.Millisecond}
				client := clientOf(t, service, tt.policy, "http://users.test")
				var callers sync.WaitGroup
				for range tt.calls {
					callers.Go(func() {
						for range tt.each {
							if _, err := get(t.Context(), client); err != nil {
								t.Errorf("error = %v, want patience", err)
							}
						}
					})
				}
				callers.Wait()
				if got := service.most.Load(); got < tt.least || got > tt.most {
					t.Errorf("%d calls in flight at a time, want %d to %d", got, tt.least, tt.most)
				}
			})
		})
	}
}

func TestWhatFindsNoRoomToWaitIsShedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, &crowd{takes: time.Second}, upstream.Policy{MaxInFlight: 2, MaxWaiting: 3}, "http://users.test")
		begun := time.Now()
		var shed, answered atomic.Int32
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				_, err := get(t.Context(), client)
				if err == nil {
					answered.Add(1)
					return
				}
				shed.Add(1)
				if p := problem.From(err); kindOf(err) != upstream.Shed || p.Status != http.StatusServiceUnavailable || p.Header("Retry-After") != "1" {
					t.Errorf("error = %v, Retry-After %q", err, p.Header("Retry-After"))
				}
				if took := time.Since(begun); took > 0 {
					t.Errorf("shed after %v", took)
				}
			})
		}
		callers.Wait()
		if shed.Load() != 5 || answered.Load() != 5 {
			t.Errorf("%d shed and %d answered, want 5 and 5", shed.Load(), answered.Load())
		}
	})
}

func TestACallerThatWaitsAndLeavesFreesItsPlaceAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, &crowd{takes: time.Second}, upstream.Policy{MaxInFlight: 1, MaxWaiting: 1}, "http://users.test")
		begun := time.Now()
		ask := func(ctx context.Context, want upstream.Kind, after time.Duration) func() {
			return func() {
				if _, err := get(ctx, client); kindOf(err) != want || time.Since(begun) != after {
					t.Errorf("%v after %v, want %q after %v", err, time.Since(begun), want, after)
				}
			}
		}
		impatient, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		patient := upstream.WithCredentials(t.Context(), upstream.Credentials{Key: "patient"})
		var callers sync.WaitGroup
		callers.Go(ask(t.Context(), "", time.Second))
		synctest.Wait()
		callers.Go(ask(impatient, upstream.Timeout, 100*time.Millisecond))
		synctest.Wait()
		callers.Go(ask(patient, upstream.Shed, 0))
		<-time.After(200 * time.Millisecond)
		callers.Go(ask(patient, "", 2*time.Second))
		callers.Wait()
	})
}

func TestAPanicBelowFreesThePlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
			if calls.Add(1) == 1 {
				panic("a bug")
			}
			return good
		}), upstream.Policy{MaxInFlight: 1}, "http://users.test")
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was lost")
				}
			}()
			_, _ = get(t.Context(), client)
		}()
		if _, err := get(t.Context(), client); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestAServiceThatIsSlowByItselfIsNotShed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
			answer := upstreamtest.Answer{After: 5 * time.Millisecond, Body: `{"id":"1"}`}
			if time.Since(begun) > 30*time.Second {
				answer.After = 300 * time.Millisecond
			}
			return answer
		}), upstream.Policy{}, "http://users.test")
		got := load{perSecond: 45, lasts: 2 * time.Minute}.run(t, client)
		if got.good != got.all {
			t.Errorf("%d of %d calls were answered; %v", got.good, got.all, got.byKind)
		}
	})
}

func TestAServiceWhoseAnswersTakeNowLongNowShortIsNotShed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
			return upstreamtest.Answer{After: rand.N(250 * time.Millisecond), Body: `{"id":"1"}`}
		}), upstream.Policy{}, "http://users.test")
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				for range 500 { // a minute
					ctx, cancel := context.WithTimeout(t.Context(), 800*time.Millisecond)
					if _, err := get(ctx, client); err != nil {
						t.Error(err)
					}
					cancel()
				}
			})
		}
		callers.Wait()
	})
}
