package overload_test

import (
	"crypto/sha256"
	"math"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bff.internal/shared/overload"
)

func TestWhatAHistogramOfWaitsSays(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	buckets := []float64{math.Inf(-1), 0, 1e-6, 1e-3, 20e-3, 100e-3, math.Inf(1)}
	for _, tt := range []struct {
		name          string
		before, count [6]uint64
		waited        time.Duration
		n             uint64
	}{
		{"nothing happened", [6]uint64{1, 2, 3, 4, 5, 6}, [6]uint64{1, 2, 3, 4, 5, 6}, 0, 0},
		{"nobody had to wait", [6]uint64{}, [6]uint64{0, 1000, 0, 0, 0, 0}, time.Microsecond, 0},
		{"all waited less than a millisecond", [6]uint64{}, [6]uint64{0, 0, 100, 0, 0, 0}, ms, 100},
		{"one in ten waited longer", [6]uint64{}, [6]uint64{0, 0, 90, 10, 0, 0}, ms, 100},
		{"more than one in ten did", [6]uint64{}, [6]uint64{0, 0, 89, 11, 0, 0}, 20 * ms, 100},
		{"those who found a CPU at once do not hide the others", [6]uint64{}, [6]uint64{0, 1e6, 80, 0, 20, 0}, 100 * ms, 100},
		{"what was before does not count", [6]uint64{0, 0, 1e6, 0, 0, 0}, [6]uint64{0, 0, 1e6 + 80, 0, 20, 0}, 100 * ms, 100},
		{"longer than the histogram knows", [6]uint64{}, [6]uint64{0, 0, 0, 0, 0, 100}, 100 * ms, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := &metrics.Float64Histogram{Counts: tt.count[:], Buckets: buckets}
			if waited, n := overload.Longest(h, tt.before[:]); waited != tt.waited || n != tt.n {
				t.Errorf("%v of %d, want %v of %d", waited, n, tt.waited, tt.n)
			}
		})
	}
}

// With many more goroutines at work than CPUs there is no doubt.
func TestTheSchedulerTellsOfWorkThatWaitsForACPU(t *testing.T) {
	t.Parallel()
	waited := overload.NewScheduler()
	var all sync.WaitGroup
	var enough atomic.Bool
	for range 50 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			block := make([]byte, 256<<10) // less than a millisecond
			for !enough.Load() {
				sha256.Sum256(block)
				runtime.Gosched()
			}
		})
	}
	for begun := time.Now(); ; runtime.Gosched() {
		if wait, ok := waited(); ok && wait > overload.TooLong {
			break
		}
		if time.Since(begun) > time.Minute {
			t.Error("nobody waited, in a minute")
			break
		}
	}
	enough.Store(true)
	all.Wait()
}
