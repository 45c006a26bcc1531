package upstream_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

const (
	inARow  = 10                     // failures open a circuit
	noLife  = 100 * time.Millisecond // before it opens for them
	openFor = 5 * time.Second        // before it probes
)

// circuitsAlone leaves out what would keep failures from a circuit.
var circuitsAlone = upstream.Policy{Without: upstream.Layers{Shed: true, Retry: true, Hedge: true, Eject: true}}

// clientOf returns a client of a service named "things" with replicas behind the transport.
func clientOf(t *testing.T, transport http.RoundTripper, policy upstream.Policy, replicas string) *upstream.Client {
	t.Helper()
	return upstream.New(upstream.Config{
		Service: "things", Replicas: upstreamtest.Replicas(t, replicas), Policy: policy,
		Transport: transport, Telemetry: upstreamtest.Telemetry(t),
	})
}

func kindOf(err error) upstream.Kind {
	if e, ok := errors.AsType[*upstream.Error](err); ok {
		return e.Kind
	}
	return ""
}

func TestACircuit(t *testing.T) {
	t.Parallel()
	good := upstreamtest.Answer{Body: `{"id":"1"}`}
	bad := upstreamtest.Answer{Status: http.StatusServiceUnavailable}
	tooLarge := upstreamtest.Answer{Body: string(make([]byte, 2<<20))}
	for _, tt := range []struct {
		name  string
		calls func() []upstreamtest.Answer
		opens bool
	}{
		{"opens when all fail", times(10, upstreamtest.Answer{Status: 503}), true},
		{"opens when three of four fail", mixed(20, good, bad, bad, bad), true},
		{"opens as soon after any number of good calls", many(5000, good, 10, bad), true},
		{"does not judge a mixture by fewer calls", mixed(19, good, bad, bad, bad), false},
		{"stays closed when half fail", mixed(400, good, bad), false},
		{"opens at refused connections and broken ones", times(10, upstreamtest.Answer{Err: errors.New("EOF")}), true},
		{"opens at deadlines", times(10, upstreamtest.Answer{Hang: true}), true},
		{"opens at bodies that never end in time", times(10, upstreamtest.Answer{Stall: time.Hour}), true},
		{"does not judge by fewer calls", times(9, upstreamtest.Answer{Status: 503}), false},
		{"stays closed when one in three fails", mixed(30, good, good, upstreamtest.Answer{Status: 503}), false},
		{"stays closed at any number of 4xx", mixed(200, upstreamtest.Answer{Status: 404}, upstreamtest.Answer{Status: 401}, upstreamtest.Answer{Status: 429}), false},
		{"stays closed when nearly all that was asked says nothing", many(300, tooLarge, 25, bad), false},
		{"opens when enough of all fails beside what says nothing", many(180, tooLarge, 20, bad), true},
		{"stays closed when answers are too large", times(50, tooLarge), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport upstreamtest.Transport
				client := clientOf(t, &transport, circuitsAlone, "http://users.test")
				for _, answer := range tt.calls() {
					transport.Answer("/things/1", answer)
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
					_, err := get(ctx, client)
					cancel()
					if kindOf(err) == upstream.BreakerOpen {
						t.Fatal("open before its time")
					}
				}
				transport.Answer("/things/1", good)
				if _, err := get(t.Context(), client); (kindOf(err) == upstream.BreakerOpen) != tt.opens {
					t.Errorf("afterwards: %v; want open = %v", err, tt.opens)
				}
			})
		})
	}
}

func TestTenThousandCancellationsOpenNoCircuit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var transport upstreamtest.Transport
		transport.Answer("/things/1", upstreamtest.Answer{Hang: true})
		client := clientOf(t, &transport, circuitsAlone, "http://users.test")
		ctx, leave := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for range 10_000 {
			callers.Go(func() {
				if _, err := get(ctx, client); kindOf(err) != upstream.Cancelled {
					t.Errorf("error = %v, want cancelled", err)
				}
			})
		}
		synctest.Wait()
		leave()
		callers.Wait()

		transport.Answer("/things/1", upstreamtest.Answer{Body: `{"id":"1"}`})
		if _, err := get(t.Context(), client); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestAnOpenCircuitClosesAfterItsProbes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var transport upstreamtest.Transport
		client := upstreamtest.Client(t, &transport)
		transport.Answer("/things/1", upstreamtest.Answer{Status: http.StatusServiceUnavailable})
		for range inARow {
			_, _ = get(t.Context(), client)
		}
		asked := len(transport.Requests())
		for range 100 {
			if _, err := get(t.Context(), client); kindOf(err) != upstream.BreakerOpen {
				t.Fatalf("error = %v, want an open circuit", err)
			}
		}
		if got := len(transport.Requests()); got != asked {
			t.Errorf("%d calls reached the service past an open circuit", got-asked)
		}

		transport.Answer("/things/1", upstreamtest.Answer{After: time.Second, Body: `{"id":"1"}`})
		<-time.After(openFor + noLife + time.Millisecond)
		var callers sync.WaitGroup
		var mu sync.Mutex
		admitted := 0
		for range 1000 {
			callers.Go(func() {
				if _, err := get(t.Context(), client); err == nil {
					mu.Lock()
					defer mu.Unlock()
					admitted++
				}
			})
		}
		callers.Wait()
		if admitted != 3 {
			t.Errorf("%d of 1000 concurrent callers admitted as probes, want 3", admitted)
		}
		if _, err := get(t.Context(), client); err != nil {
			t.Errorf("after good probes: %v", err)
		}
	})
}

func TestAReplicaWithAnOpenCircuitIsPassedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := besideADeadReplica(t, "http://dead.test,http://alive.test")
		failures := 0
		for range 1000 {
			if _, err := get(t.Context(), client); err != nil {
				failures++
			}
		}
		if failures != inARow {
			t.Errorf("%d of 1000 calls failed, want the %d that opened the circuit of one replica", failures, inARow)
		}
	})
}

func TestTheLoadOfAnOpenReplicaIsSharedByTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, transport := besideADeadReplica(t, "http://dead.test,http://a.test,http://b.test")
		const calls = 3000
		for range calls {
			_, _ = get(t.Context(), client)
		}
		share := map[string]int{}
		for _, req := range transport.Requests() {
			share[req.URL.Host]++
		}
		if share["dead.test"] != inARow || share["a.test"] < calls*4/10 || share["b.test"] < calls*4/10 {
			t.Errorf("calls by replica: %v, want half of %d for each that is well", share, calls)
		}
	})
}

// besideADeadReplica returns a client of a service whose replica at dead.test fails every call.
func besideADeadReplica(t *testing.T, replicas string) (*upstream.Client, *upstreamtest.Transport) {
	t.Helper()
	var transport upstreamtest.Transport
	transport.Handle("/things/1", func(req *http.Request) upstreamtest.Answer {
		if req.URL.Host == "dead.test" {
			return upstreamtest.Answer{Status: http.StatusInternalServerError}
		}
		return upstreamtest.Answer{Body: `{"id":"1"}`}
	})
	return clientOf(t, &transport, circuitsAlone, replicas), &transport
}

func many(n int, first upstreamtest.Answer, m int, second upstreamtest.Answer) func() []upstreamtest.Answer {
	return func() []upstreamtest.Answer { return append(times(n, first)(), times(m, second)()...) }
}

func times(n int, answer upstreamtest.Answer) func() []upstreamtest.Answer { return mixed(n, answer) }

func mixed(n int, turns ...upstreamtest.Answer) func() []upstreamtest.Answer {
	return func() []upstreamtest.Answer {
		answers := make([]upstreamtest.Answer, n)
		for i := range answers {
			answers[i] = turns[i%len(turns)]
		}
		return answers
	}
}
