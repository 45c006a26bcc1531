package ratelimit_test

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bff.internal/shared/ratelimit"
)

// rush has 100 callers at once ask over three clients of one Redis, five times each, and returns how many are admitted.
func rush(t *testing.T, addr string, limit ratelimit.Limit) int64 {
	t.Helper()
	var (
		admitted atomic.Int64
		all      sync.WaitGroup
	)
	start := make(chan struct{})
	for range 3 {
		r := newReplica(t, connect(t, addr), limit)
		for range 34 {
			all.Go(func() {
				<-start
				for range 5 {
					if a := r.ask(t, "acme"); a.Status == 200 && a.Policy == `"partner";q=50;w=86400` {
						admitted.Add(1)
					}
				}
			})
		}
	}
	close(start)
	all.Wait()
	return admitted.Load()
}

// none is a limit that gives nothing back while a test runs.
func none() ratelimit.Limit { return ratelimit.Limit{Requests: 50, Per: 24 * time.Hour, Burst: 50} }

func TestOverThreeClientsExactlyTheBurstIsAdmittedWhenNoTimePasses(t *testing.T) {
	t.Parallel()
	if admitted := rush(t, newRedis(t).Addr(), none()); admitted != 50 {
		t.Errorf("%d of 510 requests were admitted, want 50", admitted)
	}
}

// rates are odd and even ones.
var rates = []struct {
	name  string
	limit ratelimit.Limit
}{
	{"a rate that no microsecond divides", ratelimit.Limit{Requests: 7, Per: time.Minute, Burst: 5}},
	{"the usual rate", ratelimit.Limit{Requests: 600, Per: time.Minute, Burst: 100}},
	{"one a second and no burst", ratelimit.Limit{Requests: 1, Per: time.Second, Burst: 1}},
	{"a few an hour", ratelimit.Limit{Requests: 13, Per: time.Hour, Burst: 3}},
	{"a prime number in a day", ratelimit.Limit{Requests: 999_983, Per: 24 * time.Hour, Burst: 17}},
	{"more than one in a microsecond would be", ratelimit.Limit{Requests: 1_000_000, Per: time.Second, Burst: 1}},
	{"one in 24 hours", ratelimit.Limit{Requests: 1, Per: 24 * time.Hour, Burst: 1}},
}

func TestEachRequestComesBackInItsMicrosecond(t *testing.T) {
	t.Parallel()
	for _, tt := range rates {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			r := newReplica(t, connect(t, server.Addr()), tt.limit)
			if admitted := r.drain(t, "acme"); admitted != tt.limit.Burst {
				t.Fatalf("at first %d are admitted, want %d", admitted, tt.limit.Burst)
			}
			per, requests := tt.limit.Per.Microseconds(), int64(tt.limit.Requests)
			for k := range int64(30) {
				due := ((k+1)*per + requests - 1) / requests
				server.SetTime(epoch().Add(time.Duration(due-1) * time.Microsecond))
				if r.allows(t, "acme") {
					t.Fatalf("request %d is admitted a microsecond too early", k+1)
				}
				server.SetTime(epoch().Add(time.Duration(due) * time.Microsecond))
				if admitted := r.drain(t, "acme"); admitted != 1 {
					t.Fatalf("when request %d is due %d are admitted", k+1, admitted)
				}
			}
			server.SetTime(epoch().Add(31 * 24 * time.Hour))
			if admitted := r.drain(t, "acme"); admitted != tt.limit.Burst {
				t.Errorf("after a long pause %d are admitted, want %d", admitted, tt.limit.Burst)
			}
		})
	}
}

func TestOverAnyTimesExactlyBurstAndRefillAreAdmitted(t *testing.T) {
	t.Parallel()
	for _, tt := range rates {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			r := newReplica(t, connect(t, server.Addr()), tt.limit)
			random := rand.New(rand.NewPCG(1, uint64(tt.limit.Requests)))
			per, requests, burst := tt.limit.Per.Microseconds(), int64(tt.limit.Requests), int64(tt.limit.Burst)
			admitted, elapsed := int64(r.drain(t, "acme")), int64(0)
			for range 60 { // never so long that the bucket is full, in which there is a part of a request
				elapsed += random.Int64N((burst-1)*per/requests + 1)
				server.SetTime(epoch().Add(time.Duration(elapsed) * time.Microsecond))
				admitted += int64(r.drain(t, "acme"))
				if want := burst + elapsed*requests/per; admitted != want {
					t.Fatalf("after %d us %d are admitted, want %d", elapsed, admitted, want)
				}
			}
		})
	}
}

func TestTheLargestNumbersAreStillWhole(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	limit := ratelimit.Limit{Requests: 1_000_000, Per: 24 * time.Hour, Burst: 100_000} // a request comes back in 86,400 us
	r := newReplica(t, connect(t, server.Addr()), limit)
	now := epoch()
	for i, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, 99_999},
		{86_399 * time.Microsecond, 99_998},
		{time.Microsecond, 99_998},
		{86_400 * time.Microsecond, 99_998},
		{2*86_400*time.Microsecond - time.Microsecond, 99_998},
		{86_401 * time.Microsecond, 99_999},
		{9 * 24 * time.Hour, 99_999},
	} {
		now = now.Add(step.after)
		server.SetTime(now)
		if got := r.ask(t, "acme").remaining(t); got != step.want {
			t.Errorf("step %d: %d remain, want %d", i, got, step.want)
		}
	}
}

func TestAClockThatGoesBackLocksNobodyOutAndGivesNothingAway(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	r := newReplica(t, connect(t, server.Addr()), ratelimit.Limit{Requests: 1, Per: 10 * time.Second, Burst: 3})
	r.drain(t, "acme")
	server.SetTime(epoch().Add(4 * time.Second))
	if a := r.ask(t, "acme"); a.Status != 429 || a.Retry != "6" {
		t.Fatalf("after 4 s: %+v", a)
	}
	back := epoch().Add(-time.Hour)
	server.SetTime(back)
	for range 3 {
		if a := r.ask(t, "acme"); a.Status != 429 || a.Retry != "6" {
			t.Fatalf("an hour back: %+v", a)
		}
	}
	server.SetTime(back.Add(6*time.Second - time.Microsecond))
	if r.allows(t, "acme") {
		t.Error("a request is admitted too early")
	}
	server.SetTime(back.Add(6 * time.Second))
	if admitted := r.drain(t, "acme"); admitted != 1 {
		t.Errorf("6 s later %d are admitted", admitted)
	}
}

func TestCallersWithNamesThatTryToCollideHaveBucketsOfTheirOwn(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	client := connect(t, server.Addr())
	limit := ratelimit.Limit{Requests: 1, Per: time.Hour, Burst: 1}
	callers := []string{"", "a", "A", "a ", "a:", ":a", "{a}", "a}", "a}{a", "}", "{", "1:a", "a\x00", "a\n", "ä", "a\xcc\x88", "*", "partner:{a}", "limit:partner:{a}", "acme", "acme-2"}
	for i := range 30 {
		callers = append(callers, "acme"+strconv.Itoa(i))
	}
	for _, name := range []string{"partner", "partner-2", "partner2", "a"} {
		r := newReplica(t, client, limit, func(o *ratelimit.Options) { o.Name = name })
		for _, caller := range callers {
			if admitted := r.drain(t, caller); admitted != 1 {
				t.Errorf("%s of %q: %d are admitted, want 1", name, caller, admitted)
			}
		}
	}
	if got, want := len(server.Keys()), 4*len(callers); got != want {
		t.Errorf("there are %d keys, want %d", got, want)
	}
}

func TestBothReplicasTakeFromOneBucket(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	one, two := newReplica(t, connect(t, server.Addr()), usual()), newReplica(t, connect(t, server.Addr()), usual())
	for i := range 100 {
		if a := []*replica{one, two}[i%2].ask(t, "acme"); a.Status != 200 || a.remaining(t) != 99-i {
			t.Fatalf("request %d: %+v", i, a)
		}
	}
	if one.allows(t, "acme") || two.allows(t, "acme") {
		t.Error("one more is admitted")
	}
}
