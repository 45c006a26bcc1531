package mobile_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var schedules = flag.Uint64("schedules", usualSchedules, "how many random schedules of faults to play; -run 'Schedule///seed=7$' plays one")

// TestWhateverTheServicesDoByRandomSchedule plays schedules of faults and requests. Whatever happens, every answer has
// one of the stated forms, a call is made twice at the most, and afterwards nothing is left of it.
func TestWhateverTheServicesDoByRandomSchedule(t *testing.T) { //nolint:tparallel // all at once would be too many stacks
	t.Parallel()
	var reached sync.Map
	t.Run("all", func(t *testing.T) {
		const atATime = 4
		for first := range uint64(atATime) {
			t.Run(fmt.Sprintf("every %dth from %d", atATime, first), func(t *testing.T) {
				t.Parallel()
				for seed := first; seed < *schedules; seed += atATime {
					t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { //nolint:paralleltest // a few schedules at a time
						synctest.Test(t, func(t *testing.T) { play(t, newSchedule(seed), &reached) })
					})
				}
			})
		}
	})
	checkReached(t, &reached)
}

// longest is far beyond the end of any schedule.
const longest = 10 * time.Minute

func play(t *testing.T, s schedule, reached *sync.Map) {
	t.Helper()
	// Timers of the background work go on, so a request without an end would be no deadlock.
	defer time.AfterFunc(longest, func() { panic("something has no end: " + s.String()) }).Stop()
	r := &run{T: t, reached: reached}
	r.world = newWorld(t, s, r.count)
	r.count(thePlayed)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s)
		}
	})
	r.calm()
	r.storm()
	r.afterwards()
	r.end()
}

// run is a schedule that is being played.
type run struct {
	*testing.T
	*world

	wholes  [][]byte // the callers' answers when all is well
	reached *sync.Map
}

// calm asks for everybody before anything happens.
func (r *run) calm() {
	for caller := range callers {
		got := r.ask(r.Context(), fmt.Sprintf("calm%d", caller), arrival{caller: caller})
		r.wholes = append(r.wholes, got.answer.Body.Bytes())
		r.judge(got)
		if want := `"id":"` + callers[caller] + `"`; !strings.Contains(got.answer.Body.String(), want) {
			r.Fatalf("%d %s, want it to contain %s", got.answer.Code, got.answer.Body, want)
		}
	}
}

// storm lets the schedule happen.
func (r *run) storm() {
	begun := time.Now()
	for _, b := range r.backends {
		for _, replica := range b.replicas {
			replica.begin(begun)
		}
	}
	var requests sync.WaitGroup
	for i, a := range r.arrivals {
		if wait := a.at - time.Since(begun); wait > 0 {
			time.Sleep(wait)
			r.checkConnections()
		}
		requests.Go(func() { r.judge(r.ask(r.Context(), fmt.Sprintf("r%d", i), a)) })
	}
	synctest.Wait()
	r.checkConnections()
	requests.Wait()
	if rest := r.lasts - time.Since(begun); rest > 0 {
		time.Sleep(rest)
	}
}

// afterwards lets all be well again for two minutes at most, until every replica has work as before.
func (r *run) afterwards() {
	for _, b := range r.backends {
		for _, replica := range b.replicas {
			replica.held.Store(&phase{fault: &healthy})
			replica.served.Store(0)
		}
	}
	const (
		circuitsOpen = 10 * time.Second // at most
		enough       = 4
		patience     = 120
	)
	time.Sleep(circuitsOpen)
	for second := 0; r.leastServed().served.Load() < enough; second++ {
		if second == patience {
			least := r.leastServed()
			r.Errorf("%s has answered %d of %d requests after all faults", least.host, least.served.Load(), second)
			break
		}
		if got := r.judge(r.ask(r.Context(), fmt.Sprintf("after%d", second), arrival{})); got.name != whole200 {
			r.Errorf("%d s after all faults: %s", second, got.name)
		}
		time.Sleep(time.Second)
	}
	r.allAtOnce()
}

func (r *run) leastServed() *replica {
	least := r.backends[0].replicas[0]
	for _, b := range r.backends {
		for _, replica := range b.replicas {
			if replica.served.Load() < least.served.Load() {
				least = replica
			}
		}
	}
	return least
}

// allAtOnce asks as often at a time as there is room for calls, all of which are made.
func (r *run) allAtOnce() {
	room := 10 // of a service that was slow
	if r.policy.MaxInFlight > 0 {
		room = r.policy.MaxInFlight
	}
	for _, b := range r.backends {
		for _, replica := range b.replicas {
			replica.held.Store(&phase{fault: &healthy, delay: 20 * time.Millisecond})
		}
	}
	var requests sync.WaitGroup
	for i := range room {
		requests.Go(func() {
			if got := r.judge(r.ask(r.Context(), fmt.Sprintf("room%d", i), arrival{})); got.name != whole200 {
				r.Errorf("%d at once after all faults: %s", room, got.name)
			}
		})
	}
	synctest.Wait()
	for _, b := range r.backends {
		if inFlight := b.inFlight(); r.maxConns == 0 && inFlight != room {
			r.Errorf("%d of %d calls to %s at once", inFlight, room, b.name)
		}
	}
	requests.Wait()
}

// end closes everything, of which nothing is left then.
func (r *run) end() {
	time.Sleep(time.Second)
	synctest.Wait()
	for _, b := range r.backends {
		if inFlight := b.inFlight(); inFlight != 0 {
			r.Errorf("%d exchanges with %s have no end", inFlight, b.name)
		}
		for _, replica := range b.replicas {
			if opened := int(replica.opened.Load()); opened > r.transport.MaxIdleConnsPerHost {
				r.Errorf("%d connections to %s, want at most %d idle ones", opened, replica.host, r.transport.MaxIdleConnsPerHost)
			}
		}
	}
	r.transport.CloseIdleConnections()
	synctest.Wait()
	for _, b := range r.backends {
		for _, replica := range b.replicas {
			if opened := replica.opened.Load(); opened != 0 {
				r.Errorf("%d connections to %s are never closed", opened, replica.host)
			}
		}
	}
	r.platform.Close()
	synctest.Wait()
	if left := othersInBubble(); len(left) > 0 {
		r.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	}
}

func (b *backend) inFlight() int {
	sum := 0
	for _, replica := range b.replicas {
		sum += int(replica.inFlight.Load())
	}
	return sum
}

// othersInBubble are the stacks of all goroutines of the bubble but this one and those that wait for its end.
func othersInBubble() []string {
	buffer, length := []byte(nil), 0
	for length == len(buffer) { // it may not be all
		buffer = make([]byte, 2*len(buffer)+64<<10)
		length = runtime.Stack(buffer, true)
	}
	own, rest, _ := strings.Cut(string(buffer[:length]), "\n\n")
	header, _, _ := strings.Cut(own, "\n")
	_, bubble, _ := strings.Cut(header, "synctest ")
	var others []string
	for stack := range strings.SplitSeq(rest, "\n\n") {
		header, _, _ := strings.Cut(stack, "\n")
		if strings.Contains(header, "synctest "+bubble) && !strings.Contains(stack, "testing/synctest.") {
			others = append(others, stack)
		}
	}
	return others
}
