package upstream

import (
	"context"
	"errors"
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
	lines       []*line        // in the order of their turns, which go round; none is empty
	next        int            // whose turn it is
	shed        uint64
	lastShed    time.Time
	shedding    time.Time // since when, with pauses of less than failingFor
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
	if g.enterAtOnce(caller) {
		return nil
	}
	if pointless() {
		return errPointless
	}
	w, err := g.queue(ctx, caller)
	if err != nil || w == nil {
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

// enterAtOnce takes a place in flight, if one is free and nobody waits for it.
func (g *gate) enterAtOnce(caller string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting > 0 || !g.concurrency.allows(g.inFlight) {
		return false
	}
	g.admit(caller)
	return true
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

// state is what /upstreams says of the gate.
func (g *gate) state() GateStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	return GateStatus{
		InFlight: g.inFlight, Limit: int(g.concurrency.limit), Waiting: g.waiting, MaxWaiting: g.maxWaiting,
		Shed: g.shed, LastShed: utc(g.lastShed), Shedding: utc(g.shedding),
	}
}
