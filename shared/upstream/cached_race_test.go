package upstream_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// restless is a service that does everything, with answers that may be kept for a while.
func restless(*http.Request) upstreamtest.Answer {
	answer := said("1", "Cache-Control: max-age=0, stale-while-revalidate=1, stale-if-error=1", "ETag: "+tagA)
	answer.After = rand.N(10 * time.Millisecond)
	switch rand.IntN(12) {
	case 0:
		answer.Hang = true
	case 1:
		answer.Err = errRefused
	case 2:
		answer.Status = http.StatusInternalServerError
	case 3, 4:
		answer.After += 50 * time.Millisecond
	case 5:
		answer.Header.Set("Cache-Control", noStore)
	case 6:
		answer = same(minute)
	}
	return answer
}

// TestManyCallersOfKeptAnswers is for the race detector, and for what is left behind.
func TestManyCallersOfKeptAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, upstreamtest.Func(restless), upstream.Policy{}, threeReplicas)
		var answered atomic.Int32
		var callers sync.WaitGroup
		for i := range 60 {
			callers.Go(func() {
				ctx := as(t.Context(), strconv.Itoa(i%3))
				for range 60 {
					var notes cache.Notes
					ctx, cancel := context.WithTimeout(cache.WithNotes(ctx, &notes), time.Duration(rand.IntN(80))*time.Millisecond)
					if rand.IntN(3) == 0 {
						time.AfterFunc(rand.N(20*time.Millisecond), cancel)
					}
					switch rand.IntN(20) {
					case 0:
						write(ctx, client, http.MethodPut)
					case 1:
						<-time.After(time.Second)
					default:
						if told(ctx, client) == "1" {
							answered.Add(1)
						}
					}
					cancel()
				}
			})
		}
		callers.Wait()
		if got := answered.Load(); got < 500 {
			t.Errorf("%d of some 3000 reads were answered", got)
		}
		<-time.After(time.Minute) // whatever was wrong has had its time
		synctest.Wait()
	})
}
