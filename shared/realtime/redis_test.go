//go:build unix

package realtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/platform/redistest"
	"bff.internal/shared/realtime"
	"bff.internal/shared/secret"
)

func TestAMessageOfOneReplicaReachesTheSocketsOfAnotherOnce(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := serve(t, redis.Addr()), serve(t, redis.Addr())
	b, _ := connected(t, there.addr, "")
	const messages = 200
	var publishing sync.WaitGroup
	for _, r := range []*replica{here, there, here} { // as a consumer does that is not sure
		publishing.Go(func() {
			for i := range messages {
				if err := r.hub.Publish(t.Context(), "ada", strconv.Itoa(i), []byte(strconv.Itoa(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	publishing.Wait()
	publish(t, here, "ada", "last", `"last"`)
	times := make(map[string]int)
	for data := b.push(t); data != `"last"`; data = b.push(t) {
		times[data]++
	}
	for i := range messages {
		if n := times[strconv.Itoa(i)]; n != 1 {
			t.Errorf("message %d came %d times", i, n)
		}
	}
}

func TestASessionEndsEverywhereWhileSubscriptionsAreCut(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := serve(t, redis.Addr()), serve(t, redis.Addr())
	b, _ := connected(t, there.addr, "")
	killer := redisClient(redis.Addr())
	defer func() { _ = killer.Close() }()
	cut := func() {
		if err := killer.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
			t.Error(err)
		}
	}
	cut()
	began := time.Now()
	if err := here.hub.EndSession(t.Context(), "ada", "s1"); err != nil {
		t.Fatal(err)
	}
	cut()
	if code := b.ended(t); code != 4501 {
		t.Errorf("the socket ended with %d", code)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("that took %v", took)
	}
}

func TestASessionEndsHereEvenWhenRedisIsAway(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	r := serve(t, redis.Addr())
	b, _ := connected(t, r.addr, "")
	redis.Stop()
	if err := r.hub.EndSession(t.Context(), "ada", "s1"); err == nil {
		t.Error("nobody says that the others were not told")
	}
	if code := b.ended(t); code != 4501 {
		t.Errorf("the socket ended with %d", code)
	}
}

func TestASessionThatEndsWhileRedisIsFrozenEndsLater(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := serve(t, redis.Addr()), serve(t, redis.Addr())
	b, _ := connected(t, there.addr, "")
	redis.Freeze()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for here.hub.EndSession(t.Context(), "ada", "s1") != nil {
		}
	}()
	if !b.answers(t) {
		t.Errorf("the socket ended with %d while Redis was frozen", b.code)
	}
	redis.Thaw()
	<-ended
	if code := b.ended(t); code != 4501 {
		t.Errorf("the socket ended with %d", code)
	}
}

func TestSocketsOutliveAnOutageOfRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	here, there := serve(t, redis.Addr()), serve(t, redis.Addr())
	b, hello := connected(t, there.addr, "")
	publish(t, here, "ada", "before", `"before"`)

	redis.Freeze()
	began := time.Now()
	if err := here.hub.Publish(t.Context(), "ada", "during", []byte(`"during"`)); err == nil {
		t.Error("a message was published by a Redis that is frozen")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("to say so took %v", took)
	}
	eventually(t, "the outage is noticed", func() bool { return strings.Contains(there.log.String(), "connection error") })
	redis.Thaw()
	back := time.Now()
	eventually(t, "messages are published again", func() bool {
		return here.hub.Publish(t.Context(), "ada", "during", []byte(`"during"`)) == nil
	})
	if took := time.Since(back); took > 2*time.Second {
		t.Errorf("messages are published again after %v", took)
	}
	publish(t, here, "ada", "after", `"after"`)
	got := rest(t, there, b, hello.Connect.Subs["personal:#ada"], `"after"`)
	if strings.Join(got, " ") != `"before" "during" "after"` {
		t.Errorf("the page got %s", got)
	}
}

// rest returns all messages up to the last one, as a page gets them that comes back when it is told to.
func rest(t *testing.T, r *replica, b *browser, position subscription, last string) (all []string) {
	t.Helper()
	for {
		select {
		case p := <-b.pushes:
			all = append(all, string(p.Data))
			position.Offset = p.Offset
		case <-b.end:
			if b.code != 3010 {
				t.Fatalf("the socket ended with %d", b.code)
			}
			var hello reply
			b, hello = connected(t, r.addr, seen(position))
			position = hello.Connect.Subs["personal:#ada"]
			if !position.Recovered {
				t.Fatal("nothing is recovered")
			}
			for _, p := range position.Publications {
				all = append(all, string(p.Data))
			}
		case <-time.After(2 * within):
			t.Fatalf("after %s comes nothing", all)
		}
		if len(all) > 0 && all[len(all)-1] == last {
			return all
		}
	}
}

func TestARedisThatComesBackEmptyCostsNoMessageUnnoticed(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	r := serve(t, redis.Addr())
	b, hello := connected(t, r.addr, "")
	publish(t, r, "ada", "before", `"before"`)
	b.push(t)
	position := hello.Connect.Subs["personal:#ada"]
	position.Offset++
	redis.Stop()
	if err := r.hub.Publish(t.Context(), "ada", "during", []byte(`"during"`)); err == nil {
		t.Error("a message was published without Redis")
	}
	if !b.answers(t) {
		t.Fatalf("the socket ended with %d", b.code)
	}
	redis.Restart()
	back := time.Now()
	eventually(t, "the socket is told", func() bool {
		_ = r.hub.Publish(t.Context(), "ada", fmt.Sprint(time.Now()), []byte(`"after"`))
		select {
		case <-b.end:
			return true
		case <-b.pushes:
			t.Error("the socket got a message as if it had missed none")
			return true
		default:
			return false
		}
	})
	if took := time.Since(back); b.code != 3010 || took > 2*time.Second {
		t.Errorf("the socket ended with %d after %v", b.code, took)
	}
	again, hello := connected(t, r.addr, seen(position))
	if hello.Connect.Subs["personal:#ada"].Recovered {
		t.Error("the socket that comes back is told that it has missed nothing")
	}
	publish(t, r, "ada", "new", `"new"`)
	if got := again.push(t); got != `"new"` && got != `"after"` {
		t.Errorf("then came %s", got)
	}
}

func TestASessionEndsByARedisWhoseClockIsBehind(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	r := serve(t, server.Addr())
	b, _ := connected(t, r.addr, "")
	if err := r.hub.EndSession(t.Context(), "ada", "another"); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	client := clientOf(t, server.Addr())
	entry := &redis.XAddArgs{Stream: "live:ended", ID: "5-1", Values: []string{"user", "ada", "session", "s1"}}
	if err := client.XAdd(t.Context(), entry).Err(); err != nil {
		t.Fatal(err)
	}
	if code := b.ended(t); code != 4501 {
		t.Errorf("the socket ended with %d", code)
	}
}

func TestAHubWaitsForRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Stop()
	r := prepared(t, redis.Addr())
	r.run(t)
	eventually(t, "it says so", func() bool { return strings.Contains(r.log.String(), "redis fails") })
	_, resp := shake(t, r.addr)
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "2" {
		t.Errorf("meanwhile: %s %v", resp.Status, resp.Header)
	}
	checkProblem(t, resp, "live_unavailable")
	if err := r.hub.Publish(t.Context(), "ada", "1", []byte(`{}`)); !errors.Is(err, realtime.ErrUnavailable) {
		t.Errorf("meanwhile: %v", err)
	}
	redis.Restart()
	eventually(t, "it runs", r.hub.Running)
	b, _ := connected(t, r.addr, "")
	publish(t, r, "ada", "1", `{}`)
	b.push(t)
	eventually(t, "it says so", func() bool { return strings.Contains(r.log.String(), "redis works again") })
}

func TestAClusterWillDo(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--cluster-enabled", "yes")
	if err := clientOf(t, server.Addr()).Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr()}, Protocol: 2, DisableIdentity: true})
	defer func() { _ = cluster.Close() }()
	eventually(t, "the cluster is up", func() bool { return cluster.Set(t.Context(), "key", "value", 0).Err() == nil })
	inCluster := func(o *realtime.Options) {
		o.RedisURL, o.Redis = secret.New("redis+cluster://"+server.Addr()), cluster
	}
	here, there := serve(t, server.Addr(), inCluster), serve(t, server.Addr(), inCluster)
	b, hello := connected(t, there.addr, "")
	publish(t, here, "ada", "1", `1`)
	publish(t, here, "ada", "1", `1`)
	publish(t, here, "ada", "2", `2`)
	if one, two := b.push(t), b.push(t); one != "1" || two != "2" {
		t.Errorf("got %s, %s", one, two)
	}
	_, hello = connected(t, here.addr, seen(hello.Connect.Subs["personal:#ada"]), "X-Session: s2")
	if subs := hello.Connect.Subs["personal:#ada"]; !subs.Recovered || len(subs.Publications) != 2 {
		t.Errorf("recovered %+v", subs)
	}
	if err := here.hub.EndSession(t.Context(), "ada", "s1"); err != nil {
		t.Fatal(err)
	}
	if code := b.ended(t); code != 4501 {
		t.Errorf("the socket ended with %d", code)
	}
	var all handled
	_, stop := consumer(t, cluster, "one", patient, func(_ context.Context, _ string, values map[string]any) error {
		all.add(values)
		return nil
	})
	say(t, cluster, 0, 10)
	eventually(t, "they are handled", func() bool { return all.entries() == 10 && owed(t, cluster) == 0 })
	stop()
}

func TestTheLogOfAnOutageIsShortAndQuotesNobody(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	r := serve(t, redis.Addr())
	b, _ := connected(t, r.addr, "")
	for _, message := range []string{`{"id":2,"rpc":{"data":"secret-of-ada"}}`, `secret-of-ada`} {
		b.send(message)
	}
	b.ended(t)
	redis.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if err := r.hub.Publish(ctx, "ada", "1", []byte(`"secret-of-ada"`)); err == nil {
			t.Fatal("published")
		}
	}
	redis.Restart()
	eventually(t, "it works again", func() bool { return r.hub.Publish(t.Context(), "ada", "1", []byte(`1`)) == nil })
	eventually(t, "it says so", func() bool { return strings.Contains(r.log.String(), "elsewhere works again") })
	text := r.log.String()
	for line := range strings.Lines(text) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry["level"] == "ERROR" {
			t.Errorf("%v in %s", err, line)
		}
	}
	if n := strings.Count(text, "\n"); n == 0 || n > 12 || strings.Contains(text, "secret-of-ada") {
		t.Errorf("the log of an outage of 2 s has %d lines:\n%s", n, text)
	}
}
