package upstream

import (
	"math"
	"testing"
	"time"
)

// span is a window of calls, of which so many were in flight at a time.
type span struct {
	inFlight int
	answers  int
	took     time.Duration
	drops    int
}

// after returns what is concluded from the windows.
func after(most int, spans ...span) *concurrency {
	c := newConcurrency(most)
	now := time.Unix(1_000_000, 0)
	for _, s := range spans {
		c.begin(s.inFlight)
		c.roll(now) // begins the first window
		now = now.Add(max(windowAtLeast, s.took))
		if s.answers+s.drops < windowAnswers {
			now = now.Add(windowAtMost)
		}
		for range s.answers {
			c.answers++
			c.total += s.took
		}
		c.drops += s.drops
		c.roll(now)
	}
	return &c
}

func TestTheLimitFollowsWhatAServiceCanDo(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	quick := span{inFlight: 20, answers: 100, took: 100 * ms}
	for _, tt := range []struct {
		name        string
		most        int
		spans       []span
		least, high float64
	}{
		{"nothing is known", 256, nil, 20, 20},
		{"the policy allows less than that", 5, nil, 5, 5},
		{"one", 1, []span{{inFlight: 1, answers: 50, took: ms, drops: 50}}, 1, 1},
		{"it grows while it is used", 256, []span{quick, {25, 100, 100 * ms, 0}, {25, 100, 100 * ms, 0}}, 31, 32},
		{"but not before what was changed can show", 256, []span{quick, {25, 100, 100 * ms, 0}}, 25, 25},
		{"it does not grow while it is not", 256, []span{{5, 100, 100 * ms, 0}, {5, 100, 100 * ms, 0}}, 20, 20},
		{"it grows no further than the policy allows", 32, append([]span{quick}, many(8, span{32, 100, 100 * ms, 0})...), 32, 32},
		{"answers that take three times as long shrink it", 256, []span{quick, {25, 100, 300 * ms, 0}, {25, 100, 300 * ms, 0}}, 12, 13},
		{"calls that were dropped shrink it", 256, []span{{20, 80, 100 * ms, 20}}, 16, 16},
		{"few that were dropped do not", 256, []span{{20, 95, 100 * ms, 5}}, 21, 30},
		{"never below the least", 256, many(20, span{20, 0, 0, 100}), 10, 10},
		{"what nobody uses goes back to the first limit", 256, append([]span{quick, {30, 100, 100 * ms, 0}}, many(40, span{2, 100, 100 * ms, 0})...), 20, 20},
		{"a slow service that is not under load is only slow", 256, []span{{5, 100, 100 * ms, 0}, {5, 100, time.Second, 0}}, 20, 20},
		{"too few answers say nothing", 256, []span{{20, 9, 100 * ms, 0}}, 20, 20},
		{"few answers say something in the end", 256, []span{{20, 10, 100 * ms, 0}}, 25, 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := math.Round(after(tt.most, tt.spans...).limit*100) / 100; got < tt.least || got > tt.high {
				t.Errorf("limit = %v, want %v to %v", got, tt.least, tt.high)
			}
		})
	}
}

func many(n int, s span) []span {
	spans := make([]span, n)
	for i := range spans {
		spans[i] = s
	}
	return spans
}

func TestAServiceThatHasChangedIsLearntAnew(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, tt := range []struct {
		name        string
		spans       []span
		least, most time.Duration
	}{
		{"the first answers are the usual ones", []span{{20, 100, 100 * ms, 0}}, 100 * ms, 100 * ms},
		{"faster ones under load count at once", []span{{20, 100, 100 * ms, 0}, {30, 100, 50 * ms, 0}}, 50 * ms, 50 * ms},
		{"slower ones under load do not", []span{{20, 100, 100 * ms, 0}, {30, 100, 200 * ms, 0}}, 100 * ms, 100 * ms},
		{"slower ones that fewer calls do not make faster do", append([]span{{20, 100, 100 * ms, 0}}, many(5, span{25, 100, 300 * ms, 0})...), 300 * ms, 300 * ms},
		{"slower ones that fewer calls make faster do not", []span{{20, 100, 100 * ms, 0}, {25, 100, 300 * ms, 0}, {25, 100, 300 * ms, 0}, {12, 100, 200 * ms, 0}, {12, 100, 200 * ms, 0}, {12, 100, 200 * ms, 0}}, 100 * ms, 100 * ms},
		{"slower ones without load count bit by bit", []span{{20, 100, 100 * ms, 0}, {1, 100, 200 * ms, 0}}, 101 * ms, 150 * ms},
		{"slower ones under load count in the end", append([]span{{20, 100, 100 * ms, 0}}, many(160, span{100, 100, 200 * ms, 0})...), 200 * ms, 200 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := after(256, tt.spans...).usual; got < tt.least || got > tt.most {
				t.Errorf("usual = %v, want %v to %v", got, tt.least, tt.most)
			}
		})
	}
}
