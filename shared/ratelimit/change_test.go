package ratelimit_test

import (
	"testing"
	"time"

	"bff.internal/shared/ratelimit"
)

func TestAChangedLimitCountsFromTheNextRequest(t *testing.T) {
	t.Parallel()
	limit := func(requests int, per time.Duration, burst int) ratelimit.Limit {
		return ratelimit.Limit{Requests: requests, Per: per, Burst: burst}
	}
	for _, tt := range []struct {
		name     string
		was, is  ratelimit.Limit
		used     int
		want     int
		after    time.Duration
		wantNext int
	}{
		{"a smaller burst cuts what is left", limit(600, time.Minute, 100), limit(600, time.Minute, 10), 5, 10, 0, 1},
		{"a larger burst gives nothing at once", limit(600, time.Minute, 10), limit(600, time.Minute, 100), 4, 6, 0, 1},
		{"what is left is as many requests over a longer time", limit(10, time.Second, 100), limit(600, time.Minute, 100), 40, 60, 0, 1},
		{"what is left is as many requests over a shorter time", limit(600, time.Minute, 100), limit(10, time.Second, 100), 40, 60, 0, 1},
		{"a part of a request stays that part", limit(1, 10*time.Second, 5), limit(1, 100*time.Second, 5), 5, 0, 4 * time.Second, 60},
		{"and over a shorter time, too", limit(1, 100*time.Second, 5), limit(1, 10*time.Second, 5), 5, 0, 40 * time.Second, 6},
		{"time passes at the rate that is asked for", limit(1, time.Second, 50), limit(10, time.Second, 50), 50, 30, 3 * time.Second, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			client := connect(t, server.Addr())
			before, after := newReplica(t, client, tt.was), newReplica(t, client, tt.is)
			for range tt.used {
				before.allows(t, "acme")
			}
			if tt.want == 0 { // the part has to be counted before the change, by a request that is refused
				server.SetTime(epoch().Add(tt.after))
				before.allows(t, "acme")
			}
			server.SetTime(epoch().Add(tt.after))
			if got := after.drain(t, "acme"); got != tt.want {
				t.Errorf("%d are admitted, want %d", got, tt.want)
			}
			if got := after.ask(t, "acme").next(t); got != tt.wantNext {
				t.Errorf("the next one comes after %d s, want %d", got, tt.wantNext)
			}
		})
	}
}

func TestReplicasWithOldAndNewLimitTogetherStarveNobody(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	client := connect(t, server.Addr())
	before := newReplica(t, client, ratelimit.Limit{Requests: 7, Per: 7 * time.Second, Burst: 5})
	after := newReplica(t, client, ratelimit.Limit{Requests: 60, Per: time.Minute, Burst: 5})
	before.drain(t, "acme")
	admitted := 0
	for i := range 1000 { // one a second, asked for 20 times in it
		server.SetTime(epoch().Add(time.Duration(i+1) * 50 * time.Millisecond))
		if []*replica{before, after}[i%2].allows(t, "acme") {
			admitted++
		}
	}
	if admitted < 49 || admitted > 50 {
		t.Errorf("%d are admitted in 50 s, want 50", admitted)
	}
}
