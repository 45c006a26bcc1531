package upstream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// gate lets as many calls through to a service as it should have at a time. What comes beyond that waits, each caller in
// a line of its own, and the lines take turns: whoever asks for much waits for himself. A call that would wait for longer
// than it has time is turned away at once, and so is the last in the longest line when there is no room to wait. It may
// be used concurrently.
type gate struct {
	maxWaiting int

	mu          sync.Mutex
	concurrency concurrency
	inFlight    int
	waiting     int
	callers     map[string]int // those with calls in flight, and how many
	lines       []*line        // in the order of their turns; none is empty
	next        int            // whose turn it is
	shed        uint64
	lastShed    time.Time
	shedding    time.Time // since when, with pauses of less than failingFor
}

// line is the calls of one caller that wait.
type line struct {
	caller string
	calls  []*waiter // the first came first
}

type waiter struct {
	line     *line
	turn     chan bool // gets true for a place in flight, false when the call is turned away
	deadline time.Time // zero when there is none
	modest   bool      // somebody else has taken more than his share
}

var (
	errShed = errors.New("the service has more to do than it can")
	// errPointless says that a call need not wait, because nobody would be asked.
	errPointless = errors.New("no circuit admits a call")
)

func newGate(p Policy) *gate {
	return &gate{maxWaiting: p.MaxWaiting, concurrency: newConcurrency(p.MaxInFlight), callers: map[string]int{}}
}

// enter returns nil when the call is in flight, which ends with leave. Otherwise the error is errShed, errPointless or
// that of ctx.
func (g *gate) enter(ctx context.Context, caller string, pointless func() bool) error {
	g.mu.Lock()
	if g.waiting == 0 && g.concurrency.allows(g.inFlight) {
		g.admit(caller)
		g.mu.Unlock()
		return nil
	}
	w, err := g.queue(ctx, caller, pointless)
	g.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case admitted := <-w.turn:
		if !admitted {
			return errShed
		}
		return nil
	case <-ctx.Done():
		g.withdraw(w)
		return ctx.Err()
	}
}

// leave ends a call that was in flight: it was answered, or dropped, or says nothing about how much the service can do.
func (g *gate) leave(caller string, took time.Duration, what verdict) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.giveBack(caller)
	switch what {
	case answered:
		g.concurrency.answered(took, now)
	case dropped:
		g.concurrency.dropped(now)
	case silent:
	}
	g.admitWaiting(now)
}

// verdict is what the end of a call says about how much the service can do.
type verdict int

const (
	silent verdict = iota
	answered
	dropped
)

func (g *gate) admit(caller string) {
	g.inFlight++
	g.callers[caller]++
	g.concurrency.begin(g.inFlight)
}

func (g *gate) giveBack(caller string) {
	g.inFlight--
	if g.callers[caller]--; g.callers[caller] == 0 {
		delete(g.callers, caller)
	}
}

// isModest reports whether the caller has less than his share in flight and somebody else has more than his.
func (g *gate) isModest(caller string) bool {
	share := g.concurrency.limit / float64(len(g.callers)+1)
	if float64(g.callers[caller]) > share {
		return false
	}
	for other, inFlight := range g.callers {
		if other != caller && float64(inFlight) > share {
			return true
		}
	}
	return false
}

// queue puts a call into its caller's line, if it makes sense to wait.
func (g *gate) queue(ctx context.Context, caller string, pointless func() bool) (*waiter, error) {
	if pointless() {
		return nil, errPointless
	}
	w := &waiter{turn: make(chan bool, 1), modest: g.isModest(caller)}
	w.deadline, _ = ctx.Deadline()
	own := g.lineOf(caller)
	ahead := 0 // rounds until it is this call's turn
	if own != nil {
		ahead = len(own.calls)
	}
	turns := 1
	for _, l := range g.lines {
		if l != own {
			turns += min(len(l.calls), ahead+1)
		}
	}
	turns += ahead
	if now := time.Now(); g.tooLate(w, now, g.wait(turns)) || !g.makeRoom(ahead, now) {
		g.turnAway(now)
		return nil, errShed
	}
	if own = g.lineOf(caller); own == nil { // or it was only just left
		own = &line{caller: caller}
		g.lines = append(g.lines, own)
	}
	w.line = own
	own.calls = append(own.calls, w)
	g.waiting++
	return w, nil
}

// wait is how long it takes until so many calls have had their turn, as things are.
func (g *gate) wait(turns int) time.Duration {
	return time.Duration(float64(turns) / g.concurrency.limit * float64(g.concurrency.expected()))
}

// tooLate reports whether an answer might come after the call's deadline if the call has to wait for so long. Things may
// get worse meanwhile: a call that comes too late has kept the service from another one that would not have. A modest
// caller gets the benefit of the doubt as long as an answer could be in time, for otherwise nobody would wait where answers take half of the time that there
// is, and whoever asks most would get every place that gets free.
func (g *gate) tooLate(w *waiter, now time.Time, wait time.Duration) bool {
	const worseWait, worseAnswer = 2, 1.5
	needed := worseWait*wait + time.Duration(worseAnswer*float64(g.concurrency.expected()))
	if w.modest {
		needed = wait + g.concurrency.usual
	}
	return !w.deadline.IsZero() && now.Add(needed).After(w.deadline)
}

// makeRoom sees to it that one call more may wait, at the cost of the longest line if that is longer than the caller's
// own would be.
func (g *gate) makeRoom(own int, now time.Time) bool {
	if g.waiting < g.maxWaiting {
		return true
	}
	if len(g.lines) == 0 {
		return false
	}
	longest := slices.MaxFunc(g.lines, func(a, b *line) int { return len(a.calls) - len(b.calls) })
	if len(longest.calls) <= own+1 {
		return false
	}
	last := longest.calls[len(longest.calls)-1]
	g.remove(last)
	last.turn <- false
	g.turnAway(now)
	return true
}

func (g *gate) turnAway(now time.Time) {
	g.shed++
	if now.Sub(g.lastShed) > failingFor {
		g.shedding = now
	}
	g.lastShed = now
}

// admitWaiting gives the places in flight that are free to the lines in turn.
func (g *gate) admitWaiting(now time.Time) {
	for g.waiting > 0 && g.concurrency.allows(g.inFlight) {
		g.next %= len(g.lines)
		w := g.lines[g.next].calls[0]
		g.next++
		g.remove(w)
		if g.tooLate(w, now, 0) { // it would only keep the service from others
			w.turn <- false
			g.turnAway(now)
			continue
		}
		g.admit(w.line.caller)
		w.turn <- true
	}
}

// withdraw ends the waiting of a call whose caller waits no more.
func (g *gate) withdraw(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slices.Contains(w.line.calls, w) {
		g.remove(w)
		return
	}
	if admitted := <-w.turn; admitted { // just now
		g.giveBack(w.line.caller)
		g.admitWaiting(time.Now())
	}
}

// remove takes a call out of its line, and a line that is empty out of the round.
func (g *gate) remove(w *waiter) {
	l := w.line
	i := slices.Index(l.calls, w)
	l.calls = slices.Delete(l.calls, i, i+1)
	g.waiting--
	if len(l.calls) > 0 {
		return
	}
	at := slices.Index(g.lines, l)
	g.lines = slices.Delete(g.lines, at, at+1)
	if at < g.next {
		g.next--
	}
}

func (g *gate) lineOf(caller string) *line {
	for _, l := range g.lines {
		if l.caller == caller {
			return l
		}
	}
	return nil
}

// state is what /upstreams says of the gate.
func (g *gate) state() GateStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	return GateStatus{
		InFlight: g.inFlight, Limit: int(g.concurrency.limit), Waiting: g.waiting, MaxWaiting: g.maxWaiting,
		Shed: g.shed, LastShed: utc(g.lastShed), Shedding: utc(g.shedding),
	}
}
