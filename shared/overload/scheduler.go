package overload

import (
	"math"
	"runtime/metrics"
	"slices"
	"time"
)

const (
	// hadToWait leaves out goroutines that found a CPU at once: a garbage collection alone makes thousands of them.
	hadToWait = 1e-6 // seconds
	// enough goroutines that had to wait to judge by; Go looks at one in eight.
	enough = 16
	// atMost is how long to wait for enough of them. If fewer wait, then nothing is wrong.
	atMost = time.Second
	// fewWaitLonger is the share of those who had to wait that waited longer than what is told of them.
	fewWaitLonger = 0.1
)

// scheduler knows how long goroutines that are ready have to wait for a CPU.
type scheduler struct {
	sample [1]metrics.Sample
	before []uint64 // the counts at the beginning of the window
	began  time.Time
}

func newScheduler() *scheduler {
	s := &scheduler{}
	s.sample[0].Name = "/sched/latencies:seconds"
	s.begin(s.read(), time.Now())
	return s
}

func (s *scheduler) read() *metrics.Float64Histogram {
	metrics.Read(s.sample[:])
	return s.sample[0].Value.Float64Histogram()
}

func (s *scheduler) begin(h *metrics.Float64Histogram, now time.Time) {
	s.before, s.began = append(s.before[:0], h.Counts...), now
}

// waited returns how long nine in ten of those goroutines waited at most that had to, since it last did, and false if
// they are too few yet.
func (s *scheduler) waited() (time.Duration, bool) {
	h, now := s.read(), time.Now()
	waited, n := longest(h, s.before)
	if n < enough {
		if now.Sub(s.began) < atMost {
			return 0, false
		}
		waited = 0
	}
	s.begin(h, now)
	return waited, true
}

// longest returns what all but a few of those who had to wait waited at most, and how many they are.
func longest(h *metrics.Float64Histogram, before []uint64) (waited time.Duration, n uint64) {
	for i, count := range h.Counts {
		if h.Buckets[i] >= hadToWait {
			n += count - before[i]
		}
	}
	longer := uint64(float64(n) * fewWaitLonger)
	for i, count := range slices.Backward(h.Counts) {
		count -= before[i]
		if count > longer {
			return seconds(h.Buckets[i], h.Buckets[i+1]), n
		}
		longer -= count
	}
	return 0, n
}

// seconds is the end of a bucket, or its beginning if it has no end.
func seconds(from, to float64) time.Duration {
	if math.IsInf(to, 1) {
		to = from
	}
	return time.Duration(to * float64(time.Second))
}
