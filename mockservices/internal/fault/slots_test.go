package fault_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answered is after how many whole milliseconds requests were answered that came in a row; 0 for one that was not whole.
func answered(t *testing.T, s service, requests int) []time.Duration {
	t.Helper()
	took := make([]time.Duration, requests)
	began := time.Now()
	var asking sync.WaitGroup
	for i := range requests {
		asking.Go(func() {
			if s.call(t.Context()).Code == http.StatusOK {
				took[i] = time.Since(began).Truncate(time.Millisecond)
			}
		})
		time.Sleep(time.Nanosecond)
	}
	asking.Wait()
	return took
}

func TestSlotsWorkOnSoManyRequestsAtATimeInTheOrderOfTheirArrival(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		faults string
		want   []time.Duration
	}{
		{"two slots", `{"slots":2,"work":"200ms"}`, []time.Duration{200 * ms, 200 * ms, 400 * ms, 400 * ms, 600 * ms}},
		{"one slot", `{"slots":1,"work":"10ms"}`, []time.Duration{10 * ms, 20 * ms, 30 * ms}},
		{"as many as there are", `{"slots":1000,"work":"1s"}`, []time.Duration{1000 * ms, 1000 * ms, 1000 * ms}},
		{"latency on the way to them", `{"slots":1,"work":"10ms","latency":"1s"}`, []time.Duration{1010 * ms, 1020 * ms}},
		{"a straggler keeps its slot", `{"slots":1,"work":"10ms","stragglers":1,"straggle":"90ms"}`, []time.Duration{100 * ms, 200 * ms}},
		{"stragglers without slots", `{"stragglers":1,"straggle":"90ms"}`, []time.Duration{90 * ms, 90 * ms}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				s.put(t, tt.faults)
				if diff := cmp.Diff(tt.want, answered(t, s, len(tt.want))); diff != "" {
					t.Errorf("answered after (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestASlotWorksOnWhenItsClientHasLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.put(t, `{"slots":1,"work":"1s"}`)
		ctx, leave := context.WithCancel(t.Context())
		began := time.Now()
		for range 2 { // one is worked on, and one queues
			go s.call(ctx)
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		if s.call(t.Context()); time.Since(began) != 3*time.Second {
			t.Errorf("the third was answered after %v", time.Since(began))
		}
	})
}

func TestTheQueueIsLetGoWhenTheFaultsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.put(t, `{"slots":1,"work":"1h"}`)
		whole := make(chan bool, 2)
		for range cap(whole) {
			go func() { whole <- s.call(t.Context()).Code == http.StatusOK }()
		}
		synctest.Wait()
		began := time.Now()
		s.end(t)
		for range cap(whole) {
			if !<-whole {
				t.Error("an answer was not whole")
			}
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the last was let go after %v", waited)
		}
	})
}

func TestTheSeedAndTheOrderDecideWhoStraggles(t *testing.T) {
	t.Parallel()
	const requests = 1000
	stragglers := func(t *testing.T, s service, faults string) (late []int) {
		t.Helper()
		s.put(t, faults)
		for i := range requests {
			began := time.Now()
			if s.call(t.Context()); time.Since(began) == 500*time.Millisecond {
				late = append(late, i)
			} else if time.Since(began) != 0 {
				t.Errorf("request %d took %v", i, time.Since(began))
			}
		}
		return late
	}
	synctest.Test(t, func(t *testing.T) {
		const seven = `{"stragglers":0.02,"straggle":"500ms","seed":7}`
		s := newService()
		first := stragglers(t, s, seven)
		if len(first) < 5 || len(first) > 45 { // more than three standard deviations to either side
			t.Errorf("%d of %d straggled", len(first), requests)
		}
		if diff := cmp.Diff(first, stragglers(t, s, seven)); diff != "" {
			t.Errorf("the same seed, asked for again (-first +second):\n%s", diff)
		}
		if cmp.Equal(first, stragglers(t, s, `{"stragglers":0.02,"straggle":"500ms","seed":8}`)) {
			t.Error("another seed has the same stragglers")
		}
		without := stragglers(t, s, `{"stragglers":0.02,"straggle":"500ms"}`)
		if diff := cmp.Diff(without, stragglers(t, s, `{"stragglers":0.02,"straggle":"500ms","seed":0}`)); diff != "" {
			t.Errorf("no seed is seed 0 (-none +0):\n%s", diff)
		}
	})
}
