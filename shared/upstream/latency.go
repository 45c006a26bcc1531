package upstream

import (
	"math/bits"
	"sync"
	"time"
)

const (
	// latencyWindow is how long a measurement counts at the least; at the most it is twice as long.
	latencyWindow = 10 * time.Second
	// enoughLatencies is how many measurements tell something.
	enoughLatencies = 20
	// Quantiles are computed anew after so many measurements.
	recomputeAfter = 16

	// Buckets are an eighth of a power of two wide, so a quantile is at most 12.5 % too large.
	bucketBits     = 3
	latencyBuckets = 24 << bucketBits // of 64 µs and up, to more than 15 minutes
	latencyUnit    = 6                // 2^6 µs
)

// latencies is how long answers took lately. The zero value has seen none. It may be used concurrently.
type latencies struct {
	mu            sync.Mutex
	current, last [latencyBuckets]uint32
	begun         time.Time
	counts        [2]int // in current and last
	pending       int    // measurements since quantiles were computed
	p50, p95      time.Duration
}

// record takes a measurement in.
func (l *latencies) record(took time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rotate(now)
	l.current[bucketOf(took)]++
	l.counts[0]++
	if l.pending++; l.pending >= recomputeAfter || l.counts[0]+l.counts[1] <= enoughLatencies {
		l.compute()
	}
}

// quantiles are 0 as long as too little was measured.
func (l *latencies) quantiles(now time.Time) (p50, p95 time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rotate(now) {
		l.compute()
	}
	return l.p50, l.p95
}

// rotate forgets what is too old, and reports whether it did.
func (l *latencies) rotate(now time.Time) bool {
	age := now.Sub(l.begun)
	if age < latencyWindow {
		return false
	}
	l.last, l.counts[1] = l.current, l.counts[0]
	l.begun = l.begun.Add(latencyWindow)
	if age >= 2*latencyWindow {
		l.last, l.counts[1] = [latencyBuckets]uint32{}, 0
		l.begun = now
	}
	l.current, l.counts[0] = [latencyBuckets]uint32{}, 0
	return true
}

func (l *latencies) compute() {
	l.pending = 0
	total := l.counts[0] + l.counts[1]
	if total < enoughLatencies {
		l.p50, l.p95 = 0, 0
		return
	}
	l.p50, l.p95 = l.quantile((total+1)/2), l.quantile((total*19+19)/20)
}

// quantile is the upper end of the bucket that holds the measurement of that rank.
func (l *latencies) quantile(rank int) time.Duration {
	seen := 0
	for i := range l.current {
		if seen += int(l.current[i]) + int(l.last[i]); seen >= rank {
			return upperEnd(i)
		}
	}
	return upperEnd(latencyBuckets - 1)
}

func bucketOf(took time.Duration) int {
	units := int(max(0, took.Microseconds())) >> latencyUnit
	if units < 1<<bucketBits {
		return units
	}
	exponent := bits.Len(uint(units)) - 1 - bucketBits
	return min(latencyBuckets-1, (exponent+1)<<bucketBits+units>>exponent-1<<bucketBits)
}

func upperEnd(bucket int) time.Duration {
	units := bucket + 1
	if bucket >= 1<<bucketBits {
		exponent := bucket>>bucketBits - 1
		units = (bucket&(1<<bucketBits-1) + 1<<bucketBits + 1) << exponent
	}
	return time.Duration(units<<latencyUnit) * time.Microsecond
}
