package upstream

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestQuantilesAreAnEighthTooLargeAtTheMost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		next func(*rand.Rand) time.Duration
	}{
		{"all the same", func(*rand.Rand) time.Duration { return 10 * time.Millisecond }},
		{"even", func(seeded *rand.Rand) time.Duration { return time.Duration(seeded.Int64N(int64(time.Second))) }},
		{"with a long tail", func(seeded *rand.Rand) time.Duration {
			return time.Duration(math.Exp(seeded.NormFloat64()) * float64(20*time.Millisecond))
		}},
		{"very short", func(seeded *rand.Rand) time.Duration { return time.Duration(seeded.Int64N(int64(time.Millisecond))) }},
		{"of all sizes", func(seeded *rand.Rand) time.Duration { return time.Duration(math.Exp2(seeded.Float64() * 39)) }},
		{"none at all", func(*rand.Rand) time.Duration { return 0 }},
		{"negative, by a clock that was set", func(*rand.Rand) time.Duration { return -time.Second }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seeded := rand.New(rand.NewPCG(1, 2))
			for _, count := range []int{20, 21, 36, 100, 1000} {
				var l latencies
				now := time.Unix(1_000_000, 0)
				var all []time.Duration
				for range count {
					took := tt.next(seeded)
					l.record(took, now)
					all = append(all, max(0, took))
				}
				l.compute()
				slices.Sort(all)
				p50, p95 := l.quantiles(now)
				for _, q := range []struct {
					name string
					got  time.Duration
					want time.Duration
				}{
					{"p50", p50, all[(count+1)/2-1]},
					{"p95", p95, all[int(math.Ceil(float64(count)*0.95))-1]},
				} {
					// A bucket is never narrower than 64 µs.
					if q.got < q.want || q.got > q.want+max(64*time.Microsecond, q.want/8)+time.Microsecond {
						t.Errorf("%s of %d is %v, want %v", q.name, count, q.got, q.want)
					}
				}
			}
		})
	}
}

func TestNothingIsSaidOfTooFewAnswers(t *testing.T) {
	t.Parallel()
	var l latencies
	now := time.Unix(1_000_000, 0)
	for range enoughLatencies - 1 {
		l.record(time.Second, now)
	}
	if p50, p95 := l.quantiles(now); p50 != 0 || p95 != 0 {
		t.Errorf("quantiles of %d answers are %v and %v, want none", enoughLatencies-1, p50, p95)
	}
	l.record(time.Second, now)
	if p50, p95 := l.quantiles(now); p50 == 0 || p95 == 0 {
		t.Errorf("quantiles of %d answers are %v and %v", enoughLatencies, p50, p95)
	}
}

func TestAnswersAreForgottenAfterTenToTwentySeconds(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_000_000, 0)
	for _, tt := range []struct {
		name   string
		asked  []time.Duration // when, after the answers
		p50    bool            // at the last time
		record time.Duration   // when one more is recorded; 0 means never
	}{
		{name: "they count for ten seconds", asked: []time.Duration{10 * time.Second}, p50: true},
		{name: "they may count for longer", asked: []time.Duration{19 * time.Second}, p50: true},
		{name: "and are forgotten after twenty", asked: []time.Duration{20 * time.Second}},
		{name: "also when they were asked for meanwhile", asked: []time.Duration{11 * time.Second, 22 * time.Second}},
		{name: "also when they were asked for shortly before", asked: []time.Duration{19 * time.Second, 21 * time.Second}},
		{name: "also when one came meanwhile", record: 19 * time.Second, asked: []time.Duration{21 * time.Second}},
		{name: "long ago", asked: []time.Duration{time.Hour}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var l latencies
			for range 100 {
				l.record(time.Second, start)
			}
			if tt.record > 0 {
				l.record(time.Second, start.Add(tt.record))
			}
			var p50 time.Duration
			for _, at := range tt.asked {
				p50, _ = l.quantiles(start.Add(at))
			}
			if (p50 > 0) != tt.p50 {
				t.Errorf("p50 = %v, want one = %v", p50, tt.p50)
			}
		})
	}
}

func TestNewAnswersMoveTheQuantiles(t *testing.T) {
	t.Parallel()
	var l latencies
	now := time.Unix(1_000_000, 0)
	for range 100 {
		l.record(10*time.Millisecond, now)
	}
	for range 2 * recomputeAfter {
		l.record(time.Second, now)
	}
	if _, p95 := l.quantiles(now); p95 < time.Second {
		t.Errorf("p95 = %v after many slow answers", p95)
	}
}

func TestLatenciesMayBeUsedConcurrently(t *testing.T) {
	t.Parallel()
	var l latencies
	var users sync.WaitGroup
	now := time.Unix(1_000_000, 0)
	for i := range 50 {
		users.Go(func() {
			for j := range 100 {
				at := now.Add(time.Duration(i*j) * 10 * time.Millisecond)
				l.record(time.Duration(j)*time.Millisecond, at)
				l.quantiles(at)
			}
		})
	}
	users.Wait()
}
