package overload

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"time"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
)

// floorPerCPU is what the limit never goes below, for each CPU. If all of them wanted it at once, a CPU would be
// through with 64 requests of half a millisecond within a tenth of the shortest deadline.
const floorPerCPU = 64

// Deps is what a Limiter works with.
type Deps struct {
	Metrics *telemetry.Metrics
	// Address is the IP address of the client, without a port. All texts that are none count as the same.
	Address func(*http.Request) string
	// Waited tells how long goroutines had to wait for a CPU since the last call, and is false when that cannot be told
	// yet. It is not called concurrently. Nil is the scheduler of this process.
	Waited func() (time.Duration, bool)
	// Jitter returns a number below n. Nil is by chance.
	Jitter func(n int) int
}

// Limiter decides which requests are let in. It may be used concurrently.
type Limiter struct {
	off      bool
	deps     Deps
	seeds    seeds
	accepted accepted
	pace     pace

	mu       sync.Mutex
	inFlight int
	callers  map[uint64]int // those with something in flight, and how much
	limit    int
	needed   int // the lowest limit that would have let in all of those who were, since the pace was looked at
}

// New returns a limiter, which has nothing to close and no goroutine. It panics if a required part is missing or the
// configuration is one that Validate refuses.
func New(cfg Config, d Deps) *Limiter {
	cfg.MaxInFlight = cmp.Or(cfg.MaxInFlight, defaultInFlight)
	if err := cfg.Validate(); err != nil {
		panic("overload: " + err.Error())
	}
	if d.Metrics == nil || d.Address == nil {
		panic("overload: incomplete Deps")
	}
	if d.Waited == nil {
		d.Waited = newScheduler().waited
	}
	if d.Jitter == nil {
		d.Jitter = rand.IntN
	}
	most := cfg.MaxInFlight
	l := &Limiter{
		off:      cfg.Off,
		deps:     d,
		seeds:    newSeeds(),
		accepted: newAccepted(),
		pace:     pace{began: time.Now(), floor: min(most, floorPerCPU*runtime.GOMAXPROCS(0)), most: most},
		callers:  map[uint64]int{},
		limit:    most,
	}
	d.Metrics.InFlightLimit(most)
	return l
}

// Admit lets the request in or says the problem to answer with, in either case at once. Whoever gets a slot releases it.
func (l *Limiter) Admit(r *http.Request) (Slot, *problem.Problem) {
	if l.off {
		return Slot{}, nil
	}
	l.adapt()
	s := l.slot(r)
	if reason := l.take(s.caller); reason != "" {
		l.deps.Metrics.Shed(reason)
		return Slot{}, refusals[l.deps.Jitter(len(refusals))]
	}
	l.deps.Metrics.InFlight(1)
	return s, nil
}

// take takes a place for the caller, or returns why there is none.
func (l *Limiter) take(caller uint64) (refused string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.callers[caller]
	switch {
	case l.inFlight >= l.limit:
		return "full"
	case own >= l.limit-l.inFlight:
		return "share"
	}
	l.callers[caller] = own + 1
	l.inFlight++
	l.needed = max(l.needed, l.inFlight+own)
	return ""
}

func (l *Limiter) giveBack(caller uint64) {
	l.mu.Lock()
	l.inFlight--
	if l.callers[caller]--; l.callers[caller] == 0 {
		delete(l.callers, caller)
	}
	l.mu.Unlock()
	l.deps.Metrics.InFlight(-1)
}

// refusals differ in when the client may come back, so that not all do at once.
//
//nolint:gochecknoglobals // read-only
var refusals = [...]*problem.Problem{refusal(time.Second), refusal(2 * time.Second), refusal(3 * time.Second)}

func refusal(wait time.Duration) *problem.Problem {
	return problem.New(http.StatusServiceUnavailable, "overloaded",
		"This server has too much to do. Please wait for as many seconds as Retry-After says.").RetryAfter(wait)
}
