package upstream_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

func TestFewOfAThousandCallsReachADeadServiceAndItsCircuitOpensWithinASecond(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer upstreamtest.Answer
	}{
		{"it fails at once", upstreamtest.Answer{Status: http.StatusInternalServerError}},
		{"it fails after a while", upstreamtest.Answer{Status: http.StatusInternalServerError, After: 300 * time.Millisecond}},
		{"it refuses connections", upstreamtest.Answer{Err: errRefused}},
		{"it hangs", upstreamtest.Answer{Hang: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var reached atomic.Int32
				client := clientOf(t, upstreamtest.Func(func(req *http.Request) upstreamtest.Answer {
					if req.Context().Err() == nil { // net/http asks nobody otherwise
						reached.Add(1)
					}
					return tt.answer
				}), upstream.Policy{}, "http://users.test")
				ctx, cancel := context.WithTimeout(t.Context(), 800*time.Millisecond)
				defer cancel()
				var callers sync.WaitGroup
				for range 1000 {
					callers.Go(func() {
						if _, err := get(ctx, client); err == nil {
							t.Error("a dead service answered")
						}
					})
				}
				<-time.After(time.Second)
				if got := reached.Load(); got > 32 || got < inARow {
					t.Errorf("%d calls reached the service, want %d to 32", got, inARow)
				}
				if _, err := get(t.Context(), client); kindOf(err) != upstream.BreakerOpen {
					t.Errorf("a second later: %v, want an open circuit", err)
				}
				callers.Wait()
			})
		})
	}
}

func TestCallsThatWaitFailWithTheCircuit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
			return upstreamtest.Answer{Status: http.StatusInternalServerError, After: time.Second}
		}), upstream.Policy{}, "http://users.test")
		begun := time.Now()
		var late atomic.Int32
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				if _, err := get(t.Context(), client); time.Since(begun) > time.Second && kindOf(err) != upstream.BreakerOpen {
					late.Add(1)
				}
			})
		}
		callers.Wait()
		if got := late.Load(); got >= inARow {
			t.Errorf("%d calls were made after the service had failed, want fewer than a circuit needs", got)
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("the last caller had waited for %v, want two answers at most", took)
		}
	})
}

func TestNobodyWaitsForACircuitThatIsOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
			switch n := asked.Add(1); {
			case n == 1:
				return upstreamtest.Answer{Status: http.StatusServiceUnavailable, After: 100 * time.Millisecond}
			case n <= inARow: // with the last of which the service gets fewer calls at a time than it has
				return upstreamtest.Answer{Status: http.StatusServiceUnavailable, After: 2200*time.Millisecond + time.Duration(n)*time.Millisecond}
			default:
				return upstreamtest.Answer{Hang: true}
			}
		}), upstream.Policy{}, "http://users.test")
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		var callers sync.WaitGroup
		for range 40 {
			callers.Go(func() { _, _ = get(ctx, client) })
		}
		<-time.After(3 * time.Second)
		begun := time.Now()
		if _, err := get(t.Context(), client); kindOf(err) != upstream.BreakerOpen || time.Since(begun) > 0 {
			t.Errorf("%v after %v, want an open circuit at once", err, time.Since(begun))
		}
		callers.Wait()
	})
}
