package ratelimit_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/ratelimit"
)

// outage is a flood of one caller at three replicas, whose Redis comes and goes.
type outage struct {
	limit  ratelimit.Limit
	lasts  time.Duration
	away   func(elapsed time.Duration) bool
	others bool // other callers come to each replica too
}

// admitted returns how many requests the flood gets through.
func (o outage) admitted(t *testing.T) (admitted int) {
	t.Helper()
	server := newRedis(t)
	addr := server.Addr()
	synctest.Test(t, func(t *testing.T) {
		client, faults := faulty(t, addr)
		var all []*replica
		for range 3 {
			all = append(all, newReplica(t, client, o.limit, replicas(3)))
		}
		for elapsed := time.Duration(0); elapsed <= o.lasts; elapsed += 100 * time.Millisecond {
			server.SetTime(time.Now())
			faults.heal()
			if o.away(elapsed) {
				faults.refuse()
			}
			for _, r := range all {
				if o.others {
					r.allows(t, "globex")
				}
				for range 2 { // 60 in a second
					if r.allows(t, "acme") {
						admitted++
					}
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	return admitted
}

func TestAnOutageGivesNobodyMoreThanABurst(t *testing.T) {
	t.Parallel()
	limit := ratelimit.Limit{Requests: 600, Per: time.Minute, Burst: 30}
	for _, tt := range []struct {
		name        string
		outage      outage
		least, most int
	}{
		{
			"none at all",
			outage{away: func(time.Duration) bool { return false }},
			330, 330,
		},
		{
			"one that is short",
			outage{away: func(e time.Duration) bool { return e > 10*time.Second && e < 11*time.Second }},
			330, 360 + 2*3,
		},
		{
			"one in which Redis would have got a whole burst back",
			outage{away: func(e time.Duration) bool { return e > 10*time.Second && e < 20*time.Second }},
			350, 360 + 2*3,
		},
		{
			"the same when others are first to find Redis again",
			outage{others: true, away: func(e time.Duration) bool { return e > 10*time.Second && e < 20*time.Second }},
			350, 360 + 2*3,
		},
		{
			"one at the beginning",
			outage{away: func(e time.Duration) bool { return e < 10*time.Second }},
			330, 360 + 2*3,
		},
		{
			"one after the other",
			outage{away: func(e time.Duration) bool { return int(e/time.Second)%4 >= 2 }},
			330, 2 * 330,
		},
		{
			"one from the beginning to the end",
			outage{away: func(time.Duration) bool { return true }},
			330, 330,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.outage.limit, tt.outage.lasts = limit, 30*time.Second
			if got := tt.outage.admitted(t); got < tt.least || got > tt.most {
				t.Errorf("%d are admitted, want %d to %d", got, tt.least, tt.most)
			} else {
				t.Logf("%d are admitted", got)
			}
		})
	}
}

func TestWhatAReplicaAdmittedItselfIsChargedOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before int // requests that Redis admitted; its clock stands still
		used   int // requests while it was away
		again  int // times that one more of them finds that it still is, after half a second
		wait   time.Duration
		want   []int // what remains after each request, Redis being back
	}{
		{"but what has come back here", 0, 10, 0, 500 * time.Millisecond, []int{24, 23, 22}},
		{"a part of a request as a whole one", 0, 10, 0, 650 * time.Millisecond, []int{25, 24, 23}},               // 3.5 are missing
		{"also what was admitted before somebody asked in vain", 0, 20, 1, 500 * time.Millisecond, []int{18, 17}}, // 20 - 5 + 1 - 5
		{"nothing after a long time", 0, 10, 0, time.Minute, []int{29, 28, 27}},
		{"and no more than there is", 27, 30, 0, 500 * time.Millisecond, []int{0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := newRedis(t).Addr()
			synctest.Test(t, func(t *testing.T) {
				client, faults := faulty(t, addr)
				r := newReplica(t, client, ratelimit.Limit{Requests: 600, Per: time.Minute, Burst: 30}, replicas(1))
				for range tt.before {
					r.ask(t, "acme")
				}
				faults.refuse()
				for range tt.used {
					if !r.allows(t, "acme") {
						t.Fatal("refused")
					}
				}
				for range tt.again {
					time.Sleep(500 * time.Millisecond)
					r.ask(t, "acme")
				}
				time.Sleep(tt.wait)
				faults.heal()
				r.ask(t, "globex") // finds that Redis is back
				for i, want := range tt.want {
					a := r.ask(t, "acme")
					if got := a.remaining(t); got != want || (a.Status == 200) != (i == 0 || want > 0) {
						t.Errorf("request %d: %+v, want that %d remain", i+1, a, want)
					}
				}
			})
		})
	}
}

func TestADebtOutlivesAQuestionThatWasNotAnswered(t *testing.T) {
	t.Parallel()
	limit := ratelimit.Limit{Requests: 600, Per: time.Minute, Burst: 100}
	for _, tt := range []struct {
		name     string
		question func(t *testing.T, r *replica, faults *faults)
	}{
		{"because all connections were in use", func(t *testing.T, r *replica, faults *faults) {
			t.Helper()
			faults.busy()
			r.allows(t, "acme")
		}},
		{"because the client left", func(t *testing.T, r *replica, faults *faults) {
			t.Helper()
			faults.hang()
			ctx, leave := context.WithTimeout(t.Context(), time.Millisecond)
			defer leave()
			r.do(ctx, "acme", "/")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			addr := server.Addr()
			synctest.Test(t, func(t *testing.T) {
				client, faults := faulty(t, addr)
				r := newReplica(t, client, limit, replicas(1))
				server.SetTime(time.Now())
				r.drain(t, "acme")
				faults.refuse()
				r.drain(t, "acme")
				faults.heal()
				time.Sleep(time.Second)
				server.SetTime(time.Now())
				r.allows(t, "globex") // finds Redis again

				tt.question(t, r, faults)
				faults.heal()
				before := r.decisions(t)["allowed by redis"]
				if got := r.drain(t, "acme"); got != 1 {
					t.Errorf("%d were admitted afterwards, want one, and the other nine for the debt", got)
				}
				if got := r.decisions(t)["allowed by redis"] - before; got != 1 {
					t.Error("a question that was not answered was taken for an outage")
				}
			})
		})
	}
}
