package ratelimit_test

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/problem"
	"bff.internal/shared/ratelimit"
)

// nowhere is where nothing listens.
const nowhere = "127.0.0.1:1"

func TestWithoutRedisAReplicaGivesItsShare(t *testing.T) {
	t.Parallel()
	limit := func(requests, burst int) ratelimit.Limit {
		return ratelimit.Limit{Requests: requests, Per: time.Minute, Burst: burst}
	}
	for _, tt := range []struct {
		name         string
		limit        ratelimit.Limit
		replicas     int
		policy       string
		burst, later int // at once, and in the hour after it when asking every second
	}{
		{"one of one all", limit(600, 100), 1, `"partner";q=100;w=10`, 100, 36_000},
		{"one of three a third", limit(600, 100), 3, `"partner";q=33;w=10`, 33, 12_000},
		{"of few requests exactly the part", limit(7, 6), 3, `"partner";q=2;w=52`, 2, 140},
		{"but no less than one in the time and one at once", limit(2, 3), 50, `"partner";q=1;w=60`, 1, 60},
		{"nobody is one", limit(600, 100), 0, `"partner";q=100;w=10`, 100, 36_000},
		{"and neither is less", limit(600, 100), -1, `"partner";q=100;w=10`, 100, 36_000},
		{"more than there can be", limit(600, 100), 1 << 40, `"partner";q=1;w=60`, 1, 60},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, faults := faulty(t, nowhere)
				faults.refuse()
				r := newReplica(t, client, tt.limit, replicas(tt.replicas))
				if policy := r.ask(t, "acme").Policy; policy != tt.policy {
					t.Errorf("the policy is %s, want %s", policy, tt.policy)
				}
				if burst := 1 + r.drain(t, "acme"); burst != tt.burst {
					t.Errorf("%d at once, want %d", burst, tt.burst)
				}
				later := 0
				for range 3600 {
					time.Sleep(time.Second)
					later += r.drain(t, "acme")
				}
				if later != tt.later {
					t.Errorf("%d in the hour after it, want %d", later, tt.later)
				}
			})
		})
	}
}

func TestWithoutRedisAnswersAreHonest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, faults := faulty(t, nowhere)
		faults.refuse()
		r := newReplica(t, client, ratelimit.Limit{Requests: 7, Per: time.Minute, Burst: 4}) // 17.14 s for one of two replicas
		want := func(after time.Duration, want answer) {
			t.Helper()
			time.Sleep(after)
			if diff := cmp.Diff(want, r.ask(t, "acme")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		limited := func(limit, retry string) answer {
			return answer{Status: 429, Policy: `"partner";q=2;w=35`, Limit: limit, Retry: retry, Type: exceeded, Code: code, MediaType: problem.ContentType}
		}
		want(0, answer{Status: 200, Policy: `"partner";q=2;w=35`, Limit: `"partner";r=1;t=18`})
		want(0, answer{Status: 200, Policy: `"partner";q=2;w=35`, Limit: `"partner";r=0;t=18`})
		want(0, limited(`"partner";r=0;t=18`, "18"))
		want(17*time.Second, limited(`"partner";r=0;t=1`, "1"))
		want(time.Second, answer{Status: 200, Policy: `"partner";q=2;w=35`, Limit: `"partner";r=0;t=17`})
		for range 20 {
			wait, err := strconv.Atoi(r.ask(t, "acme").Retry)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(wait) * time.Second)
			if !r.allows(t, "acme") {
				t.Errorf("after %d s it is refused again", wait)
			}
		}
	})
}

func TestASteadyStreamOfRequestsLosesNothingOfItsShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, faults := faulty(t, nowhere)
		faults.refuse()
		n := 3
		r := newReplica(t, client, ratelimit.Limit{Requests: 70_000, Per: time.Second, Burst: 30}, func(o *ratelimit.Options) {
			o.Replicas = func() int { return n }
		})
		admitted := r.drain(t, "acme")
		for i := range 30_000 { // not even a microsecond between two of them
			n = 3 + i/1000%2*3 // and others come and go
			time.Sleep(999 * time.Nanosecond)
			if r.allows(t, "acme") {
				admitted++
			}
		}
		if want := 10 + 30*70*999/1000*3/4/3; admitted < want-1 || admitted > want+1 {
			t.Errorf("%d are admitted, want %d", admitted, want)
		}
	})
}

func TestARedisThatIsAwayIsAskedByOneRequestAHalfSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, faults := faulty(t, nowhere)
		faults.hang()
		r := newHasty(t, client, usual())
		began := time.Now()
		if a := r.ask(t, "acme"); a.byRedis() || time.Since(began) != 120*time.Millisecond {
			t.Errorf("the first one is answered after %v: %+v", time.Since(began), a)
		}
		var (
			all  sync.WaitGroup
			slow int
			mu   sync.Mutex
		)
		for range 500 { // 5 s, three at a time
			time.Sleep(10 * time.Millisecond)
			for range 3 {
				all.Go(func() {
					began := time.Now()
					r.ask(t, "acme")
					if took := time.Since(began); took > 0 {
						mu.Lock()
						defer mu.Unlock()
						slow++
						if took != 120*time.Millisecond {
							t.Errorf("one took %v", took)
						}
					}
				})
			}
		}
		all.Wait()
		// Each pause begins when the one before has failed.
		if asked := faults.asked.Load(); asked != 9 || slow != 8 {
			t.Errorf("redis was asked %d times, and %d requests waited for it", asked, slow+1)
		}
	})
}

func TestRedisIsNotBlamedForRequestsThatEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		left   time.Duration
		blamed bool
		status int
	}{
		{"a request that has hardly any time left says nothing about Redis", 10 * time.Millisecond, false, 504},
		{"one that waits for long does", 60 * time.Millisecond, true, 504},
		{"one that has enough time is decided here", time.Second, true, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := newRedis(t).Addr()
			synctest.Test(t, func(t *testing.T) {
				client, faults := faulty(t, addr)
				faults.hang()
				r := newHasty(t, client, usual())
				ctx, cancel := context.WithTimeout(t.Context(), tt.left)
				defer cancel()
				began := time.Now()
				if rec := r.do(ctx, "acme", "/"); rec.Code != tt.status {
					t.Errorf("%d %s", rec.Code, rec.Body)
				}
				if took := time.Since(began); took != min(tt.left, 120*time.Millisecond) {
					t.Errorf("it took %v", took)
				}
				faults.heal()
				if a := r.ask(t, "acme"); a.byRedis() == tt.blamed {
					t.Errorf("after that: %+v", a)
				}
				if lines := r.log.count(); lines != map[bool]int{true: 1}[tt.blamed] {
					t.Errorf("the log has %s", r.log)
				}
			})
		})
	}
}

func TestAnOutageIsALineAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, faults := faulty(t, nowhere)
		faults.refuse()
		r := newReplica(t, client, usual())
		for range 10 * 600 { // ten minutes
			r.ask(t, "acme")
			time.Sleep(100 * time.Millisecond)
		}
		if lines := r.log.count(); lines != 10 {
			t.Errorf("the log has %d lines: %s", lines, r.log)
		}
		first, _, _ := strings.Cut(r.log.String(), "\n")
		var got map[string]any
		if err := json.Unmarshal([]byte(first), &got); err != nil {
			t.Fatal(err)
		}
		delete(got, "time")
		want := map[string]any{
			"level": "WARN", "msg": "rate limit: redis fails, this process decides", "service": "test",
			"limit": "partner", "replicas": 2.0, "error": "connection refused",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
