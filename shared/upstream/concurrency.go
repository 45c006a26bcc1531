package upstream

import (
	"math"
	"time"
)

const (
	// firstLimit is how many calls a service of which nothing is known gets at a time. It is also all that a burst may
	// bring after quiet times, so that not too many calls meet a service that has died meanwhile.
	firstLimit = 20
	// leastLimit is left to a service that has got slow: enough to see that it recovers.
	leastLimit = 10

	// A limit is judged by windows, which last at least as long as an answer: what was changed in one shows in the next.
	windowAtLeast = 100 * time.Millisecond
	windowAnswers = 50
	// Where calls are few, fewer answers tell as much as there is to know after windowAtMost.
	windowAtMost = 2 * time.Second
	fewAnswers   = 10

	// usedShare of the limit in flight, and it is the limit that holds calls back.
	usedShare = 0.8
	// Answers that take more than tooSlow times as long as usual are waiting for each other. The limit is lowered so far
	// that they should take aimedAt times as long, by a factor of sharpest at the most.
	tooSlow   = 1.5
	slowSlack = 10 * time.Millisecond // what this machine itself may be late
	aimedAt   = 1.25
	sharpest  = 0.5
	// helped is how much of the time answers may take after that, or it has not helped.
	helped = 0.9
	// Where more than dropShare of the calls get no answer in time, the limit is lowered by dropFactor.
	dropShare  = 0.1
	dropFactor = 0.8
	// idleFactor takes away in each window what nobody uses.
	idleFactor = 0.95
	// startFactor is for a service that was never slow: nobody knows yet what it can do.
	startFactor = 1.25

	// baselinePeriod is how long the lowest mean of a service under load counts.
	baselinePeriod = 30 * time.Second
	// smoothing is the weight of the last window in the baseline of a service that is not under load.
	smoothing = 0.2
)

// concurrency is how many calls a service should have at a time. It grows while it is used and answers come as fast as
// they do with fewer, and shrinks when they get slower, get lost, or when the service says that it is too much: beyond
// that point calls only wait in the service instead of here. It is not for concurrent use.
type concurrency struct {
	most     float64
	limit    float64
	slow     bool      // once, since the start
	begun    time.Time // of the window
	answers  int
	drops    int
	total    time.Duration // of the answers
	peak     int           // calls in flight at a time
	mean     time.Duration // of the last window's answers; 0 at first
	usual    time.Duration // how long answers take as long as not too many are asked for at a time; 0 at first
	settling bool          // the limit was changed a window ago
	slowed   time.Duration // the mean for which the limit was lowered last; 0 when that was for something else
	lowest   time.Duration // mean of the period, which is one of load
	period   time.Time     // when it began
}

func newConcurrency(most int) concurrency {
	return concurrency{most: float64(most), limit: math.Min(firstLimit, float64(most))}
}

// allows reports whether one call more may be in flight.
func (c *concurrency) allows(inFlight int) bool { return float64(inFlight+1) <= c.limit }

// expected is how long an answer takes, as far as is known; 0 when nothing is.
func (c *concurrency) expected() time.Duration {
	if c.answers >= fewAnswers || (c.mean == 0 && c.answers > 0) {
		return max(c.mean, c.total/time.Duration(c.answers))
	}
	return c.mean
}

// begin notes that so many calls are in flight.
func (c *concurrency) begin(inFlight int) { c.peak = max(c.peak, inFlight) }

// answered takes the duration of a useful answer in.
func (c *concurrency) answered(took time.Duration, now time.Time) {
	c.answers++
	c.total += took
	c.roll(now)
}

// dropped takes in that an answer did not come in time, or that the service refused work.
func (c *concurrency) dropped(now time.Time) {
	c.drops++
	c.roll(now)
}

// roll ends the window, if it is long enough, and draws its conclusion.
func (c *concurrency) roll(now time.Time) {
	if c.begun.IsZero() {
		c.begun, c.period = now, now
	}
	if age := now.Sub(c.begun); c.answers+c.drops < fewAnswers || age < max(windowAtLeast, c.mean) ||
		(c.answers+c.drops < windowAnswers && age < windowAtMost) {
		return
	}
	if c.answers > 0 {
		c.mean = c.total / time.Duration(c.answers)
	}
	used := float64(c.peak) >= usedShare*c.limit
	c.adapt(used)
	c.remember(used, now)
	c.begun, c.answers, c.drops, c.total, c.peak = now, 0, 0, 0, 0
}

// adapt changes the limit, and then lets a window pass, whose answers were asked for before.
func (c *concurrency) adapt(used bool) {
	if c.settling {
		c.settling = false
		return
	}
	before, slowed := c.limit, c.slowed
	c.slowed = 0
	switch {
	case float64(c.drops) >= dropShare*float64(c.answers+c.drops):
		c.slow = true
		c.limit *= dropFactor
	case used && c.slower(tooSlow):
		c.slow = true
		c.shrink(slowed)
	case used && c.slower(aimedAt): // as much as it should have
	case used && !c.slow:
		c.limit *= startFactor
	case used:
		c.limit += math.Sqrt(c.limit)
	case c.limit > firstLimit:
		c.limit = max(firstLimit, c.limit*idleFactor)
	default: // nothing speaks against what it would get at first
		c.limit = min(firstLimit, c.limit+math.Sqrt(c.limit))
	}
	c.bound()
	c.settling = used && c.limit != before
}

// slower reports whether answers take so many times as long as usual, or more.
func (c *concurrency) slower(times float64) bool {
	return c.usual > 0 && float64(c.mean) > times*float64(c.usual)+float64(slowSlack)
}

// shrink lowers the limit of a service that is slow. Where that was done before, and did not help, the service is not
// slow because of the calls: that is what is usual from now on.
func (c *concurrency) shrink(slowed time.Duration) {
	if slowed != 0 && float64(c.mean) > helped*float64(slowed) {
		c.usual = c.mean
		return
	}
	c.slowed = c.mean
	c.limit *= max(sharpest, (aimedAt*float64(c.usual)+float64(slowSlack))/float64(c.mean))
}

// bound keeps the limit between what a service gets at the least and at the most.
func (c *concurrency) bound() { c.limit = min(c.most, max(leastLimit, c.limit)) }

// remember learns what is usual: without load from every window, and under load from the fastest one of a period. When
// such a period ends, the limit is halved for a moment: otherwise the waiting in the service would become what is usual,
// and the limit would grow without end.
func (c *concurrency) remember(used bool, now time.Time) {
	switch {
	case c.answers == 0:
	case c.usual == 0:
		c.usual = c.mean
	case !used:
		c.usual += time.Duration(smoothing * float64(c.mean-c.usual))
		c.period, c.lowest = now, 0
	default:
		if c.lowest == 0 || c.mean < c.lowest {
			c.lowest = c.mean
		}
		c.usual = min(c.usual, c.mean)
		if now.Sub(c.period) >= baselinePeriod {
			c.usual = c.lowest
			c.period, c.lowest = now, 0
			c.limit /= 2
			c.bound()
		}
	}
}
