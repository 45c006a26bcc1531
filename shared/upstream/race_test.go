package upstream_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// TestManyCallersOfAServiceThatDoesEverything is for the race detector, and for what is left behind.
func TestManyCallersOfAServiceThatDoesEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
			answer := upstreamtest.Answer{After: rand.N(20 * time.Millisecond), Body: `{"id":"1"}`}
			switch rand.IntN(20) {
			case 0:
				answer.Hang = true
			case 1:
				answer.Err = errRefused
			case 2, 3:
				answer.Status = http.StatusInternalServerError
			case 4:
				answer.After += 100 * time.Millisecond
			case 5:
				answer.Status, answer.Header = http.StatusServiceUnavailable, http.Header{"Retry-After": {"0"}}
			}
			return answer
		}), upstream.Policy{MaxInFlight: 50, MaxWaiting: 60}, twoReplicas+",http://c.test")
		answered := make(chan struct{}, 200*50)
		var callers sync.WaitGroup
		for i := range 200 {
			callers.Go(func() {
				ctx := upstream.WithCredentials(t.Context(), upstream.Credentials{Key: strconv.Itoa(i % 7)})
				for j := range 50 {
					ctx, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(300))*time.Millisecond)
					var err error
					if j%5 == 0 {
						_, err = upstream.Send[thing](ctx, client, upstream.Write{Method: http.MethodPost, Target: aThing, IdempotencyKey: "k"})
					} else {
						_, err = get(ctx, client)
					}
					cancel()
					if err == nil {
						answered <- struct{}{}
					}
				}
			})
		}
		callers.Wait()
		if got := len(answered); got < 1000 {
			t.Errorf("%d of 10000 calls were answered", got)
		}
		<-time.After(time.Minute) // whatever was wrong has had its time
		synctest.Wait()
	})
}
