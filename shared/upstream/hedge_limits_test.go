package upstream_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestTwinsOfAServiceThatGetsSlowAreATwentiethOfItsCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := upstreamtest.Answer{After: 500 * time.Millisecond, Body: `{"id":"1"}`}
		client, service := seasoned(t, upstream.Policy{Without: upstream.Layers{Shed: true}}, twoReplicas, slow, slow)
		const calls = 2000
		var callers sync.WaitGroup
		for range calls {
			<-time.After(100 * time.Microsecond)
			callers.Go(func() { _, _ = get(t.Context(), client) })
		}
		callers.Wait()
		// Five were saved before.
		if twins := service.asked.Load() - calls; twins < calls/20-5 || twins > calls/20+5 {
			t.Errorf("%d twins of %d calls, want a twentieth", twins, calls)
		}
	})
}

// straggling asks a service of which one answer in fifty takes half a second longer, and returns the slowest hundredth of the
// calls and how many attempts a call took.
func straggling(t *testing.T, without upstream.Layers) (p99 time.Duration, attemptsPerCall float64) {
	t.Helper()
	const callers, each = 10, 300
	var mu sync.Mutex
	seeded := rand.New(rand.NewPCG(1, 2))
	attempts := 0
	client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
		mu.Lock()
		defer mu.Unlock()
		attempts++
		answer := upstreamtest.Answer{After: usual + time.Duration(seeded.Int64N(int64(usual))), Body: `{"id":"1"}`}
		if seeded.IntN(50) == 0 {
			answer.After += 500 * time.Millisecond
		}
		return answer
	}), upstream.Policy{Without: without}, twoReplicas)
	var took []time.Duration
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range each {
				begun := time.Now()
				if _, err := get(t.Context(), client); err != nil {
					t.Error(err)
				}
				mu.Lock()
				took = append(took, time.Since(begun))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(took)
	return took[len(took)*99/100], float64(attempts) / float64(len(took))
}

func TestTwinsTakeTheEdgeOffStragglers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		plain, _ := straggling(t, upstream.Layers{Hedge: true})
		hedged, attempts := straggling(t, upstream.Layers{})
		t.Log(plain, hedged, attempts)
		if plain < 500*time.Millisecond || hedged > plain/2 {
			t.Errorf("p99 = %v, and %v without twins; want half of that at the most", hedged, plain)
		}
		if attempts > 1.05+0.005 { // five were saved at the start
			t.Errorf("%.3f attempts a call, want 1.05", attempts)
		}
	})
}

func TestAPanicInATwinIsItsFailureAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		first  upstreamtest.Answer
		status int
	}{
		{"the first answers", upstreamtest.Answer{After: 50 * time.Millisecond, Body: `{"id":"1"}`}, 0},
		{"the first fails too", upstreamtest.Answer{After: 50 * time.Millisecond, Status: 500}, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, service := seasoned(t, upstream.Policy{}, twoReplicas, good, good)
				service.Handle("/things/1", func(*http.Request) upstreamtest.Answer {
					if service.asked.Load() == 2 {
						panic("a bug")
					}
					return tt.first
				})
				if _, err := get(t.Context(), client); (err == nil) != (tt.status == 0) || statusOf(err) != tt.status {
					t.Errorf("error = %v, want status %d", err, tt.status)
				}
				if asked := service.asked.Load(); asked != 2 {
					t.Errorf("%d attempts, want 2", asked)
				}
			})
		})
	}
}

func TestAPanicInTheFirstReachesTheCallerAndLeavesNoTwin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, service := seasoned(t, upstream.Policy{}, twoReplicas, good, good)
		var twins atomic.Int32
		service.Handle("/things/1", func(*http.Request) upstreamtest.Answer {
			if service.asked.Load() == 1 {
				panic("a bug")
			}
			twins.Add(1)
			return good
		})
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was lost")
				}
			}()
			_, _ = get(t.Context(), client)
		}()
		<-time.After(time.Second)
		if got := twins.Load(); got != 0 {
			t.Errorf("%d twins of a call that had ended, want none", got)
		}
	})
}
