package ratelimit_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"bff.internal/shared/ratelimit"
)

func newCounted(client redis.UniversalClient) *ratelimit.Replicas {
	r := ratelimit.NewReplicas(client, "bff-partner", slog.New(slog.DiscardHandler))
	r.Patient()
	return r
}

// run lets a replica be there until stop, which waits, or until the test ends.
func run(tb testing.TB, r *ratelimit.Replicas) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

// counted is a replica that can die.
type counted struct {
	*ratelimit.Replicas

	faults *faults
	stop   func()
}

// fleet is some replicas in a bubble, and their Redis.
type fleet struct {
	server *miniredis.Miniredis
	offset time.Duration // of the clock of Redis
}

func (f *fleet) join(t *testing.T) *counted {
	t.Helper()
	client, faults := faulty(t, f.server.Addr())
	c := &counted{Replicas: newCounted(client), faults: faults}
	c.stop = run(t, c.Replicas)
	return c
}

// pass lets time pass, also in Redis.
func (f *fleet) pass(d time.Duration) {
	for range d / (100 * time.Millisecond) {
		time.Sleep(100 * time.Millisecond)
		f.server.FastForward(100 * time.Millisecond)
		f.server.SetTime(time.Now().Add(f.offset))
	}
}

// die ends a replica that can say nothing more.
func (c *counted) die() {
	c.faults.refuse()
	c.stop()
}

func (f *fleet) want(t *testing.T, what string, n int, all ...*counted) {
	t.Helper()
	for i, c := range all {
		if got := c.Count(); got != n {
			t.Errorf("%s: replica %d counts %d, want %d", what, i+1, got, n)
		}
	}
}

// inBubble runs a test in a bubble. The clock of Redis goes along with pass.
func inBubble(t *testing.T, test func(t *testing.T, f *fleet)) {
	t.Helper()
	server := newRedis(t)
	synctest.Test(t, func(t *testing.T) { test(t, &fleet{server: server}) })
}

func TestReplicasComeAndGo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fleet) {
		if n := newCounted(nil).Count(); n != 1 {
			t.Errorf("before the first beat there are %d", n)
		}
		one := f.join(t)
		f.pass(3 * time.Second)
		f.want(t, "the first one", 1, one)
		two, three := f.join(t), f.join(t)
		f.pass(2500 * time.Millisecond)
		f.want(t, "two more", 3, one, two, three)
		f.pass(time.Hour)
		f.want(t, "an hour later", 3, one, two, three)
		three.stop()
		f.pass(2500 * time.Millisecond)
		f.want(t, "one has stopped", 2, one, two)
		two.die()
		f.pass(4 * time.Second)
		f.want(t, "one has just died", 2, one)
		f.pass(4 * time.Second)
		f.want(t, "one has died", 1, one)
		if keys := f.server.Keys(); strings.Join(keys, " ") != "replicas:{bff-partner}" || f.server.TTL(keys[0]) <= 0 {
			t.Errorf("the keys are %q", keys)
		}
		one.die()
		f.pass(10 * time.Second)
		if keys := f.server.Keys(); len(keys) != 0 {
			t.Errorf("the keys are %q", keys)
		}
	})
}

func TestOneThatStopsWhenAnotherHasJustStartedIsNotCountedForLonger(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fleet) {
		before := f.join(t)
		f.pass(time.Second)
		after := f.join(t)
		f.pass(500 * time.Millisecond)
		f.want(t, "both are there", 2, after)
		before.stop()
		f.pass(2 * time.Second)
		f.want(t, "one is left", 1, after)
	})
}

func TestTheLastOneToStopLeavesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fleet) {
		one := f.join(t)
		f.pass(time.Second)
		one.stop()
		if keys := f.server.Keys(); len(keys) != 0 {
			t.Errorf("the keys are %q", keys)
		}
	})
}

func TestWhileRedisIsAwayTheReplicasStayAsManyAsTheyWere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		lasts time.Duration
		empty bool
	}{
		{"for a moment", 3 * time.Second, false},
		{"for as long as a beat counts", 5900 * time.Millisecond, false},
		{"for longer", time.Minute, false},
		{"and it comes back empty", 3 * time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, f *fleet) {
				one := f.join(t)
				f.pass(700 * time.Millisecond)
				two := f.join(t)
				f.pass(700 * time.Millisecond)
				three := f.join(t)
				all := []*counted{one, two, three}
				f.pass(5 * time.Second)
				f.want(t, "at first", 3, all...)
				for _, c := range all {
					c.faults.refuse()
				}
				f.pass(tt.lasts)
				f.want(t, "while Redis is away", 3, all...)
				for _, c := range all {
					c.faults.heal()
				}
				if tt.empty {
					f.server.FlushAll()
				}
				for range 150 {
					f.pass(100 * time.Millisecond)
					f.want(t, "when it is back", 3, all...)
				}
				three.stop()
				f.pass(2500 * time.Millisecond)
				f.want(t, "in the end", 2, one, two)
			})
		})
	}
}

func TestARedisThatIsEmptiedUnnoticedHalvesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fleet) {
		one, two := f.join(t), f.join(t)
		f.pass(5 * time.Second)
		f.server.FlushAll()
		for range 100 {
			f.pass(100 * time.Millisecond)
			f.want(t, "after it", 2, one, two)
		}
	})
}

func TestReplicasSurviveAClockThatGoesBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fleet) {
		one, two, three := f.join(t), f.join(t), f.join(t)
		f.pass(5 * time.Second)
		f.offset = -time.Hour
		f.pass(4 * time.Second)
		f.want(t, "an hour back", 3, one, two, three)
		f.offset = -2 * time.Hour
		three.die()
		f.pass(12 * time.Second)
		f.want(t, "another one, in which one has died", 2, one, two)
		f.offset = time.Hour
		f.pass(4 * time.Second)
		f.want(t, "two hours on", 2, one, two)
	})
}

func TestReplicasThatCannotBeCountedAreALineAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, faults := faulty(t, nowhere)
		faults.refuse()
		log := &lines{}
		stop := run(t, ratelimit.NewReplicas(client, "bff-partner", slog.New(slog.NewTextHandler(log, nil))))
		time.Sleep(10*time.Minute - time.Second)
		stop()
		if n := log.count(); n != 10 || !strings.Contains(log.String(), `msg="rate limit: replicas cannot be counted" replicas=1 error="connection refused"`) {
			t.Errorf("the log has %d lines: %s", n, log)
		}
	})
}
