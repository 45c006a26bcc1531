package ratelimit_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/ratelimit"
)

func TestAProcessRemembersTenThousandCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, faults := faulty(t, nowhere)
		faults.refuse()
		r := newReplica(t, client, ratelimit.Limit{Requests: 1, Per: time.Hour, Burst: 1})
		for i := range 10_000 {
			if !r.allows(t, strconv.Itoa(i)) {
				t.Fatalf("caller %d is refused", i)
			}
		}
		if r.allows(t, "0") || r.limiter.Remembered() != 10_000 { // and 0 is not the oldest any more
			t.Errorf("of 10,000 callers %d are remembered, or not the first", r.limiter.Remembered())
		}
		for i := range 5000 {
			r.allows(t, "more "+strconv.Itoa(i))
		}
		if n := r.limiter.Remembered(); n != 10_000 {
			t.Errorf("of 15,000 callers %d are remembered", n)
		}
		for _, caller := range []string{"more 0", "more 4999", "0", "5001", "9999"} {
			if r.allows(t, caller) {
				t.Errorf("caller %s is forgotten", caller)
			}
		}
		if !r.allows(t, "1") {
			t.Error("who has not asked for longest is remembered")
		}
	})
}

func TestBucketsThatAreFullAreForgotten(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	addr := server.Addr()
	synctest.Test(t, func(t *testing.T) {
		client, faults := faulty(t, addr)
		faults.refuse()
		r := newReplica(t, client, usual())
		for i := range 1000 {
			r.allows(t, strconv.Itoa(i))
		}
		time.Sleep(time.Minute)
		faults.heal()
		for range 501 {
			r.allows(t, "acme")
		}
		if n := r.limiter.Remembered(); n != 0 {
			t.Errorf("%d callers are remembered", n)
		}
	})
}
