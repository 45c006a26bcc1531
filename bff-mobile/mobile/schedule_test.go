package mobile_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"bff.internal/shared/upstream"
)

// schedule is all that happens to one bff-mobile: what the replicas of its services do when, and who asks when. It
// follows from its seed. Times are since its beginning.
type schedule struct {
	seed     uint64
	lasts    time.Duration
	services []scheduledService
	arrivals []arrival

	// policy bounds the calls to a service; the zero value leaves it as it is.
	policy upstream.Policy
	// maxConns and maxIdle bound the connections to a replica; 0 leaves them as they are.
	maxConns, maxIdle int
}

type scheduledService struct {
	name string
	// harmed says that replicas have faults.
	harmed bool
	// replicas are the phases of each replica, in order. Before the first one, all is well.
	replicas [][]phase
}

// phase is what a replica does for some time.
type phase struct {
	from  time.Duration
	fault *fault
	delay time.Duration // before what the fault does
}

// arrival is a request of one of the callers, who leaves when there is no patience left; 0 is endless.
type arrival struct {
	at       time.Duration
	caller   int
	patience time.Duration
}

func newSchedule(seed uint64) schedule {
	r := rand.New(rand.NewPCG(seed, 0))
	s := schedule{seed: seed, lasts: 4*time.Second + rand20(r, 10*time.Second)}
	for _, name := range []string{"users", "orders", "analytics"} {
		s.services = append(s.services, randomService(r, name, s.lasts))
	}
	s.arrivals = randomArrivals(r, s.lasts)
	switch r.IntN(5) {
	case 0:
		s.policy = upstream.Policy{MaxInFlight: 1 + r.IntN(6), MaxWaiting: r.IntN(8)}
	case 1:
		s.maxConns, s.maxIdle = 1+r.IntN(4), 1+r.IntN(2)
	}
	return s
}

// rand20 is a multiple of a twentieth of the most, so that things also happen at the same time.
func rand20(r *rand.Rand, most time.Duration) time.Duration {
	return most / 20 * time.Duration(r.IntN(21))
}

func randomService(r *rand.Rand, name string, lasts time.Duration) scheduledService {
	s := scheduledService{name: name, harmed: r.IntN(5) > 0}
	alike := r.IntN(4) == 0
	for i := range 1 + r.IntN(3) {
		switch {
		case !s.harmed:
			s.replicas = append(s.replicas, []phase{{fault: &healthy}})
		case alike && i > 0:
			s.replicas = append(s.replicas, s.replicas[0])
		default:
			s.replicas = append(s.replicas, randomPhases(r, lasts))
		}
	}
	return s
}

func randomPhases(r *rand.Rand, lasts time.Duration) []phase {
	var phases []phase
	for at := time.Duration(0); at < lasts; at += 50*time.Millisecond + rand20(r, 4*time.Second) {
		p := phase{from: at, fault: &healthy, delay: rand20(r, 10*time.Millisecond)}
		if r.IntN(3) > 0 {
			p.fault = &faults[r.IntN(len(faults))]
		}
		if r.IntN(3) == 0 {
			p.delay = rand20(r, 600*time.Millisecond)
		}
		phases = append(phases, p)
	}
	return phases
}

func randomArrivals(r *rand.Rand, lasts time.Duration) []arrival {
	var arrivals []arrival
	for count := 20 + r.IntN(41); len(arrivals) < count; {
		burst, spread := 1, time.Duration(0)
		switch r.IntN(10) {
		case 0, 1:
			burst = 6 + r.IntN(25)
		case 2, 3, 4:
			burst, spread = 2+r.IntN(4), 50*time.Millisecond
		}
		at := rand20(r, lasts) + rand20(r, 100*time.Millisecond)
		for range burst {
			a := arrival{at: at + rand20(r, spread), caller: r.IntN(len(callers))}
			if r.IntN(6) == 0 {
				a.patience = time.Millisecond + rand20(r, 700*time.Millisecond)
			}
			arrivals = append(arrivals, a)
		}
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return arrivals
}

// usualLimits reports whether nothing has less room than bff-mobile gives it by default.
func (s schedule) usualLimits() bool { return s.policy.MaxInFlight == 0 && s.maxConns == 0 }

// String is the schedule for whoever has to find out what went wrong in it.
func (s schedule) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed %d, for %v", s.seed, s.lasts)
	if s.policy.MaxInFlight > 0 {
		fmt.Fprintf(&text, ", at most %d calls in flight and %d waiting", s.policy.MaxInFlight, s.policy.MaxWaiting)
	}
	if s.maxConns > 0 {
		fmt.Fprintf(&text, ", at most %d connections and %d of them idle", s.maxConns, s.maxIdle)
	}
	for _, service := range s.services {
		for i, phases := range service.replicas {
			fmt.Fprintf(&text, "\n%s %d:", service.name, i+1)
			for _, p := range phases {
				fmt.Fprintf(&text, " %v %s", p.from, p.fault.name)
				if p.delay > 0 {
					fmt.Fprintf(&text, " after %v", p.delay)
				}
				text.WriteString(";")
			}
		}
	}
	text.WriteString("\nrequests:")
	for i, a := range s.arrivals {
		fmt.Fprintf(&text, " r%d %v %s", i, a.at, callers[a.caller])
		if a.patience > 0 {
			fmt.Fprintf(&text, " leaves after %v", a.patience)
		}
		text.WriteString(";")
	}
	return text.String()
}
