//go:build unix

package platform_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/platform"
	"bff.internal/shared/platform/redistest"
	"bff.internal/shared/secret"
)

// budget is what all Redis work of a request shares.
const budget = 120 * time.Millisecond

func openRedis(t *testing.T, url string) (*platform.Platform, *logBook) {
	t.Helper()
	cfg := testConfig()
	cfg.RedisURL = secret.New(url)
	return open(t, cfg)
}

// command sends one command and says what it cost.
func command(p *platform.Platform, within time.Duration) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	began := time.Now()
	err = p.Redis.Set(ctx, "key", "value", time.Minute).Err()
	return time.Since(began), err
}

// failing sends commands that all have to fail, and returns what the median costs: a single one may meet
// a machine that is busy with something else.
func failing(t *testing.T, p *platform.Platform, within time.Duration) time.Duration {
	t.Helper()
	costs := make([]time.Duration, 9)
	for i := range costs {
		var err error
		if costs[i], err = command(p, within); err == nil {
			t.Fatal("a command succeeded")
		}
	}
	slices.Sort(costs)
	return costs[len(costs)/2]
}

func TestRedisThatIsAwayCostsLittleAndComesBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p, log := openRedis(t, server.URL())
	if warnings := log.entries(t, "redis does not answer"); len(warnings) > 0 {
		t.Errorf("a Redis that answers is warned of: %v", warnings)
	}
	if _, err := command(p, budget); err != nil {
		t.Fatal(err)
	}
	for _, fault := range []struct {
		name        string
		away, back  func()
		most, again time.Duration
	}{
		{name: "frozen", away: server.Freeze, back: server.Thaw, most: 150 * time.Millisecond, again: 2 * time.Second},
		{name: "refusing", away: server.Stop, back: server.Restart, most: 50 * time.Millisecond, again: 2 * time.Second},
	} {
		fault.away()
		if cost := failing(t, p, budget); cost > fault.most {
			t.Errorf("%s: a command costs %v, want at most %v", fault.name, cost, fault.most)
		}
		if cost := failing(t, p, time.Hour); cost > fault.most {
			t.Errorf("%s: without a deadline a command costs %v, want at most %v", fault.name, cost, fault.most)
		}
		if cost := failing(t, p, 10*time.Millisecond); cost > 50*time.Millisecond {
			t.Errorf("%s: with 10 ms left a command costs %v", fault.name, cost)
		}
		fault.back()
		began := time.Now()
		until(t, func() bool { _, err := command(p, budget); return err == nil })
		if took := time.Since(began); took > fault.again {
			t.Errorf("%s: back after %v, want at most %v", fault.name, took, fault.again)
		}
	}
}

// When more commands have failed than the pool has connections, go-redis stops dialling and only looks once
// a second; that must not make the way back longer than it may be.
func TestRedisComesBackAfterALongOutage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p, _ := openRedis(t, server.URL())
	server.Stop()
	for range 100 {
		if _, err := command(p, budget); err == nil {
			t.Fatal("a command succeeded")
		}
	}
	server.Restart()
	began := time.Now()
	until(t, func() bool { _, err := command(p, budget); return err == nil })
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("back after %v, want at most 2s", took)
	}
}

func TestAServiceStartsWithoutRedis(t *testing.T) {
	t.Parallel()
	began := time.Now()
	p, log := openRedis(t, noRedis)
	if took := time.Since(began); took > time.Second {
		t.Errorf("Open took %v", took)
	}
	warnings := log.entries(t, "redis does not answer")
	if len(warnings) != 1 || warnings[0]["level"] != "WARN" || !strings.Contains(fmt.Sprint(warnings[0]["error"]), "refused") {
		t.Errorf("logged %v, want one warning with the cause", warnings)
	}
	if cost := failing(t, p, budget); cost > 50*time.Millisecond {
		t.Errorf("a command costs %v, want at most 50ms", cost)
	}
}

func TestANewConnectionCostsOneRoundTrip(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p, _ := openRedis(t, server.URL())
	stats, err := p.Redis.Info(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	// HELLO, the greeting's PING, and this INFO.
	if !strings.Contains(stats, "total_reads_processed:3\r\n") {
		t.Errorf("Redis has read more or less than three times: %s", stats)
	}
}

func TestRedisMayBeBehindAPasswordOrInAnotherDatabase(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--requirepass", "p@ss")
	for url, works := range map[string]bool{
		"redis://:p%40ss@" + server.Addr() + "/3":  true,
		"redis://default:p%40ss@" + server.Addr():  true,
		"redis://:wrong@" + server.Addr():          false,
		"redis://" + server.Addr():                 false,
		"rediss://:p%40ss@" + server.Addr():        false, // it speaks no TLS
		"redis://:p%40ss@" + server.Addr() + "/99": false,
		"redis+cluster://:p%40ss@" + server.Addr(): false, // it is no cluster
		"redis://nobody:p%40ss@" + server.Addr():   false,
	} {
		p, log := openRedis(t, url)
		if _, err := command(p, budget); (err == nil) != works {
			t.Errorf("%s: %v, want that it works: %v", url, err, works)
		}
		if strings.Contains(log.String(), "p@ss") || strings.Contains(log.String(), "p%40ss") || strings.Contains(log.String(), "wrong@") {
			t.Errorf("the log holds a password: %s", log)
		}
	}
}

func TestRedisMayBeACluster(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", portOf(freeAddr(t)))
	single := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = single.Close() }()
	if err := single.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	// The second node of the list does not exist; one that answers is enough.
	p, _ := openRedis(t, "redis+cluster://"+server.Addr()+"?addr=127.0.0.1:1")
	until(t, func() bool { _, err := command(p, budget); return err == nil })
	if _, ok := p.Redis.(*redis.ClusterClient); !ok {
		t.Errorf("the client is a %T", p.Redis)
	}
	server.Freeze()
	if cost := failing(t, p, budget); cost > 150*time.Millisecond {
		t.Errorf("a command to a frozen cluster costs %v, want at most 150ms", cost)
	}
	server.Thaw()
	until(t, func() bool { _, err := command(p, budget); return err == nil })
}

func TestRedisMayBeBehindSentinels(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	host, port, _ := strings.Cut(server.Addr(), ":")
	monitor := fmt.Sprintf("sentinel monitor main %s %s 1\n", host, port)
	if err := os.WriteFile(file, []byte(monitor), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := redistest.Start(t, file, "--sentinel")
	p, log := openRedis(t, "redis+sentinel://"+sentinel.Addr()+"/1?sentinel_master_name=main&addr=127.0.0.1:1")
	if _, err := command(p, budget); err != nil {
		t.Errorf("%v; %s", err, log)
	}
	if n, err := p.Redis.DBSize(t.Context()).Result(); err != nil || n != 1 {
		t.Errorf("database 1 has %d keys (%v), want the one", n, err)
	}
	server.Freeze()
	if cost := failing(t, p, budget); cost > 150*time.Millisecond {
		t.Errorf("a command to a frozen master costs %v, want at most 150ms", cost)
	}
}

func portOf(addr string) string { return addr[strings.LastIndex(addr, ":")+1:] }
