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
	windowAnswers = 10

	// Answers that take more than tooSlow times as long as they did with fewer calls are waiting for each other.
	tooSlow    = 2
	slowSlack  = 10 * time.Millisecond // what this machine itself may be late
	aimedAt    = 1.5
	sharpest   = 0.5
	dropFactor = 0.8
	dropShare  = 0.1
	idleFactor = 0.95

	// baselinePeriod is how long a measured baseline counts at the least; at the most it is twice as long.
	baselinePeriod = 30 * time.Second
)

// concurrency is how many calls a service should have at a time. It grows while it is used and answers come as fast as
// they do with fewer, and shrinks when they get slower, get lost, or when the service says that it is too much: beyond
// that point calls only wait in the service instead of here. It is not for concurrent use.
type concurrency struct {
	most  float64
	limit float64

	begun    time.Time // of the window
	answers  int
	drops    int
	total    time.Duration // of the answers
	peak     int           // calls in flight at a time
	mean     time.Duration // of the last window's answers; 0 at first
	period   time.Time     // when the baseline was begun
	baseline [2]time.Duration
}

func newConcurrency(most int) concurrency {
	return concurrency{most: float64(most), limit: math.Min(firstLimit, float64(most))}
}

// allows reports whether one call more may be in flight.
func (c *concurrency) allows(inFlight int) bool { return float64(inFlight+1) <= c.limit }

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
	if c.answers+c.drops < windowAnswers || now.Sub(c.begun) < max(windowAtLeast, c.mean) {
		return
	}
	if c.answers > 0 {
		c.mean = c.total / time.Duration(c.answers)
	}
	used := float64(c.peak) >= dropFactor*c.limit
	c.adapt(used)
	c.remember(used, now)
	c.begun, c.answers, c.drops, c.total, c.peak = now, 0, 0, 0, 0
}

func (c *concurrency) adapt(used bool) {
	base := c.usual()
	slow := base > 0 && c.mean > tooSlow*base+slowSlack
	switch {
	case float64(c.drops) >= dropShare*float64(c.answers+c.drops):
		c.limit *= dropFactor
	case slow:
		c.limit *= max(sharpest, (aimedAt*float64(base)+float64(slowSlack))/float64(c.mean))
	case used:
		c.limit += math.Sqrt(c.limit)
	case c.limit > firstLimit:
		c.limit = max(firstLimit, c.limit*idleFactor)
	}
	c.limit = min(c.most, max(leastLimit, c.limit))
}

// usual is how long answers take as long as not too many are asked for at a time; 0 when nobody knows yet.
func (c *concurrency) usual() time.Duration {
	if c.baseline[1] == 0 || (c.baseline[0] != 0 && c.baseline[0] < c.baseline[1]) {
		return c.baseline[0]
	}
	return c.baseline[1]
}

// remember keeps the lowest mean. When a period ends under load, the limit is halved for a moment: otherwise the waiting
// in the service would become the baseline, and the limit would grow without end.
func (c *concurrency) remember(used bool, now time.Time) {
	if now.Sub(c.period) >= baselinePeriod {
		c.period = now
		if c.baseline[0] != 0 {
			c.baseline[1] = c.baseline[0]
		}
		c.baseline[0] = 0
		if used {
			c.limit = min(c.most, max(leastLimit, c.limit/2)) //nolint:mnd // halved
		}
		return
	}
	if c.answers > 0 && (c.baseline[0] == 0 || c.mean < c.baseline[0]) {
		c.baseline[0] = c.mean
	}
}
