package overload_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/overload"
)

// after lets so much time pass, and looks once more: a request is needed for that.
func (w *world) after(t *testing.T, d time.Duration) int {
	t.Helper()
	time.Sleep(d)
	if slot, refusal := w.Admit(from("192.0.2.9")); refusal == nil {
		slot.Release()
	}
	return w.Limit()
}

// crowd has n callers with a request each in flight.
func (w *world) crowd(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		if _, refusal := w.ask(from("10.0." + strconv.Itoa(i/256) + "." + strconv.Itoa(i%256))); refusal != nil {
			t.Fatalf("request %d: %v", i, refusal)
		}
	}
}

// What one step does to a limit of 700 that may be 1000, with 600 callers in flight.
func TestTheLimitFollowsTheWaitForACPU(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		waited time.Duration
		silent bool
		after  time.Duration
		want   int
	}{
		{"short waits: a sixteenth more", overload.ShortEnough - 1, false, overload.AdaptEvery, 743},
		{"for longer: as many of them", 0, false, 3 * overload.AdaptEvery, 829},
		{"for an hour: all there may be", 0, false, time.Hour, 1000},
		{"long waits: an eighth less than was needed", overload.TooLong + 1, false, overload.AdaptEvery, 525},
		{"however long, and however long ago: an eighth", time.Minute, false, time.Hour, 525},
		{"a wait in between: nothing changes", overload.ShortEnough, false, time.Second, 700},
		{"a longer one in between: nothing changes", overload.TooLong, false, time.Second, 700},
		{"too few to tell: nothing changes", time.Minute, true, time.Second, 700},
		{"too soon: nothing changes", time.Minute, false, overload.AdaptEvery - 1, 700},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1000)
				w.crowd(t, 800)
				w.end()
				w.crowd(t, 1) // what was needed is the most of it
				w.end()
				w.waited = time.Minute
				if got := w.after(t, overload.AdaptEvery); got != 700 {
					t.Fatalf("the limit is %d at first", got)
				}
				w.crowd(t, 600)
				w.waited, w.silent = tt.waited, tt.silent
				if got := w.after(t, tt.after); got != tt.want {
					t.Errorf("the limit is %d, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestWhatWasNeededOnceDoesNotCountForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1000)
		w.crowd(t, 900)
		w.end()
		w.after(t, time.Second)
		w.crowd(t, 400)
		w.waited = time.Minute
		if got := w.after(t, time.Second); got != 350 {
			t.Errorf("the limit is %d, want an eighth less than 400", got)
		}
	})
}

func TestWhatIsStillInFlightIsNeeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1000)
		w.crowd(t, 800)
		w.waited = time.Minute
		for _, want := range []int{700, 612} { // though nobody else is let in meanwhile
			if got := w.after(t, overload.AdaptEvery); got != want {
				t.Errorf("the limit is %d, want %d", got, want)
			}
		}
	})
}

func TestSlowServicesBehindUsDoNotLowerTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1000)
		w.crowd(t, 900) // and none of them is ever answered
		for range 100 {
			if got := w.after(t, time.Second); got != 1000 {
				t.Fatalf("the limit is %d", got)
			}
		}
	})
}

func TestUnderLoadTheLimitFallsToItsFloorAndNotBelow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100_000)
		w.crowd(t, 3000)
		w.waited = time.Second
		before := w.Limit()
		for steps := 1; ; steps++ {
			limit := w.after(t, overload.AdaptEvery)
			if limit == w.Floor() {
				break
			}
			if limit >= before || steps > 50 {
				t.Fatalf("step %d: from %d to %d", steps, before, limit)
			}
			before = limit
			w.end()
			w.crowd(t, limit)
		}
		for range 10 {
			if got := w.after(t, overload.AdaptEvery); got != w.Floor() {
				t.Fatalf("the limit is %d, want %d", got, w.Floor())
			}
		}
	})
}

func TestALimitThatFellComesBackEvenIfNobodyNeedsIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		every time.Duration
		steps int
	}{
		{"with a request now and then", overload.AdaptEvery, 100},
		{"with the first request after a quiet time", 10 * time.Second, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 500)
				w.crowd(t, 100)
				w.waited = time.Second
				if got := w.after(t, overload.AdaptEvery); got >= 200 {
					t.Fatalf("the limit is %d", got)
				}
				w.end()
				w.waited = overload.ShortEnough - 1
				for range tt.steps {
					w.after(t, tt.every)
				}
				if got := w.Limit(); got != 500 {
					t.Errorf("the limit is %d, want all of it back", got)
				}
			})
		})
	}
}

func TestASingleCallerFeelsALowerLimitAtOnceToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4000)
		for range 600 { // of the 2000 that one may have
			if _, refusal := w.ask(from("10.0.0.1")); refusal != nil {
				t.Fatal(refusal)
			}
		}
		w.waited = time.Minute
		w.after(t, overload.AdaptEvery)
		if _, refusal := w.ask(from("10.0.0.1")); refusal == nil {
			t.Errorf("let in at a limit of %d", w.Limit())
		}
		w.end()
		if got := w.floodFrom("10.0.0.1"); got < 500 || got > 550 {
			t.Errorf("%d were let in, want an eighth less than 600", got)
		}
	})
}
