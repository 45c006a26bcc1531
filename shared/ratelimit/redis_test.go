//go:build unix

package ratelimit_test

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/platform/redistest"
	"bff.internal/shared/ratelimit"
)

func TestOverThreeClientsOfARealRedisExactlyTheBurstIsAdmitted(t *testing.T) {
	t.Parallel()
	if admitted := rush(t, redistest.Start(t).Addr(), none()); admitted != 50 {
		t.Errorf("%d of 510 requests were admitted, want 50", admitted)
	}
}

func TestTwoReplicasUnderFireAdmitExactlyTheLimit(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	clock := connect(t, server.Addr())
	limit := ratelimit.Limit{Requests: 100, Per: time.Second, Burst: 300} // in 3 s it is never full again
	both := []*replica{newReplica(t, connect(t, server.Addr()), limit), newReplica(t, connect(t, server.Addr()), limit)}
	var admitted, all atomic.Int64
	request := func(r *replica) (allowed bool) {
		all.Add(1)
		if allowed = r.allows(t, "acme"); allowed {
			admitted.Add(1)
		}
		return allowed
	}
	now := func() time.Time {
		t.Helper()
		now, err := clock.Time(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return now
	}

	begins := now()
	request(both[0])
	began := now()
	var (
		firing sync.WaitGroup
		enough atomic.Bool
	)
	for i := range 8 {
		firing.Go(func() {
			pace := time.NewTicker(4 * time.Millisecond) // 2,000 a second, all together
			defer pace.Stop()
			for !enough.Load() {
				request(both[i%2])
				<-pace.C
			}
		})
	}
	until(t, "3 s pass", time.Minute, func() bool { return now().Sub(began) >= 3*time.Second })
	ends := now()
	enough.Store(true)
	firing.Wait()
	for request(both[1]) {
	}
	ended := now()

	most := int64(limit.Burst) + int64(ended.Sub(begins)*100/time.Second)
	least := int64(limit.Burst) + int64(ends.Sub(began)*100/time.Second)
	t.Logf("%d of %d requests were admitted, want %d to %d", admitted.Load(), all.Load(), least, most)
	if got := admitted.Load(); got > most || got < least*99/100 {
		t.Errorf("%d were admitted, want %d to %d", got, least, most)
	}
}

func TestEveryKeyHasATTL(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := connect(t, server.Addr())
	run(t, newCounted(client))
	r := newReplica(t, client, usual())
	for i := range 300 {
		r.allows(t, strconv.Itoa(i%7))
	}
	until(t, "the replica is in the set", 10*time.Second, func() bool { return client.DBSize(t.Context()).Val() == 8 })
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		left, err := client.PTTL(t.Context(), key).Result()
		if err != nil || left <= 0 || left > 11*time.Second {
			t.Errorf("%s is kept for %v: %v", key, left, err)
		}
	}
}

func TestWithoutARealRedisThisProcessDecides(t *testing.T) {
	t.Parallel()
	set := func(client redis.UniversalClient, command ...any) func() {
		return func() {
			if err := client.Do(t.Context(), command...).Err(); err != nil {
				t.Errorf("%v: %v", command, err)
			}
		}
	}
	server := redistest.Start(t)
	client, by := tuned(t, server.Addr()), connect(t, server.Addr())
	for _, fault := range []struct {
		name       string
		away, back func()
		median     time.Duration
	}{
		{"stopped", server.Stop, server.Restart, 20 * time.Millisecond},
		{"frozen", server.Freeze, server.Thaw, 20 * time.Millisecond},
		{"read-only", set(by, "REPLICAOF", "127.0.0.1", "1"), set(by, "REPLICAOF", "NO", "ONE"), 20 * time.Millisecond},
		{"out of memory", set(by, "CONFIG", "SET", "maxmemory", "1"), set(by, "CONFIG", "SET", "maxmemory", "0"), 20 * time.Millisecond},
	} {
		r := newHasty(t, client, usual())
		caller := "acme " + fault.name
		until(t, fault.name+": redis decides", 2*time.Second, func() bool { return r.ask(t, caller).byRedis() })
		fault.away()
		took := make([]time.Duration, 0, 100)
		for range 100 {
			began := time.Now()
			a := r.ask(t, caller)
			took = append(took, time.Since(began))
			if a.byRedis() || (a.Status != 200 && a.Status != 429) {
				t.Errorf("%s: %+v", fault.name, a)
			}
		}
		slices.Sort(took)
		if took[50] > fault.median {
			t.Errorf("%s: the median of the decisions took %v", fault.name, took[50])
		}
		counted := r.decisions(t)
		if counted["allowed by local"] < 50 || counted["limited by local"] < 1 {
			t.Errorf("%s: counted %v", fault.name, counted)
		}
		if lines := r.log.count(); lines != 1 {
			t.Errorf("%s: the log has %d lines: %s", fault.name, lines, r.log)
		}
		fault.back()
		back := until(t, fault.name+": redis decides again", 2*time.Second, func() bool { return r.ask(t, caller).byRedis() })
		t.Logf("%s: the slowest decision took %v, the median %v; redis decides again after %v", fault.name, took[99], took[50], back)
	}
}

func TestARestartedRedisIsToldTheScriptAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := newHasty(t, tuned(t, server.Addr()), usual())
	r.ask(t, "acme")
	server.Restart()
	until(t, "redis decides again", 2*time.Second, func() bool { return r.ask(t, "acme").byRedis() })
	if keys := connect(t, server.Addr()).DBSize(t.Context()).Val(); keys != 1 {
		t.Errorf("there are %d keys", keys)
	}
}

func TestAClusterWillDo(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--cluster-enabled", "yes")
	if err := connect(t, server.Addr()).Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	options := patient(server.Addr())
	options.IsClusterMode = true
	cluster := redis.NewUniversalClient(options)
	defer func() { _ = cluster.Close() }()
	until(t, "the cluster is up", 10*time.Second, func() bool { return cluster.Set(t.Context(), "key", "value", time.Second).Err() == nil })
	counted := newCounted(cluster)
	run(t, counted)
	r := newReplica(t, cluster, usual())
	for i := range 20 {
		if a := r.ask(t, strconv.Itoa(i)); !a.byRedis() || a.remaining(t) != 99 {
			t.Errorf("caller %d: %+v", i, a)
		}
	}
	keys, err := cluster.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(keys, func(key string) bool { return strings.HasPrefix(key, "replicas:") }); i < 0 {
		t.Errorf("the keys are %q", keys)
	}
}

func TestReplicasOfARealRedisCountEachOther(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	one, two := newCounted(connect(t, server.Addr())), newCounted(connect(t, server.Addr()))
	run(t, one)
	stop := run(t, two)
	until(t, "there are two", 10*time.Second, func() bool { return one.Count() == 2 && two.Count() == 2 })
	stop()
	until(t, "there is one", 10*time.Second, func() bool { return one.Count() == 1 })
}
