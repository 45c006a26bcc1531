package upstream

import (
	"context"
	"slices"
	"time"
)

// line is the calls of one caller that wait.
type line struct {
	caller string
	calls  []*waiter // the first came first
}

type waiter struct {
	line     *line
	turn     chan bool // gets true for a place in flight, false when the call is turned away
	deadline time.Time // zero when there is none
	modest   bool      // somebody else has most of the places
}

// isModest reports whether the caller has no more than his share in flight while somebody else has most of what there is.
func (g *gate) isModest(caller string) bool {
	const most = 0.5
	if share := g.concurrency.limit / float64(len(g.callers)+1); float64(g.callers[caller]) > share {
		return false
	}
	for other, inFlight := range g.callers {
		if other != caller && float64(inFlight) >= most*g.concurrency.limit {
			return true
		}
	}
	return false
}

// queue puts a call into its caller's line, if it makes sense to wait. It returns nil when the call is in flight, because a
// place has got free.
func (g *gate) queue(ctx context.Context, caller string) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == 0 && g.concurrency.allows(g.inFlight) {
		g.admit(caller)
		return nil, nil //nolint:nilnil // nobody waits and nothing is wrong
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
		g.lines = slices.Insert(g.lines, g.next, own) // it is the last whose turn comes
		g.next++
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
// caller gets the benefit of the doubt as long as an answer could be in time, for otherwise nobody would wait where
// answers take half of the time that there is, and whoever asks most would get every place that gets free.
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
