package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

// whole is a tally of that many whole answers and that many of another kind.
func whole(count, others int, kind string) load.Tally {
	return answers(map[string]int{load.Whole: count, kind: others})
}

func TestASlowUpstreamPassesWhenEverythingIsWellSoonAfter(t *testing.T) {
	t.Parallel()
	const after, before = "sent later than 10s after a service was 2s slower", "sent before, at 70 % of what the service can do"
	down := slowness{after: whole(0, 1000, "502 bad_answer")}
	for _, tt := range []struct {
		name        string
		ours, naive slowness
		want        map[string]string
	}{
		{
			name: "one of a thousand failed", ours: slowness{before: whole(9, 0, ""), after: whole(999, 1, unavailable)}, naive: down,
			want: map[string]string{after: "PASS", before: "PASS"},
		},
		{
			name: "two of a thousand failed", ours: slowness{before: whole(9, 0, ""), after: whole(998, 2, unavailable)}, naive: down,
			want: map[string]string{after: "FAIL", before: "PASS"},
		},
		{
			name: "too few were sent", ours: slowness{before: whole(9, 0, ""), after: whole(899, 0, "")}, naive: down,
			want: map[string]string{after: "FAIL", before: "PASS"},
		},
		{
			name: "it was not well before", ours: slowness{before: whole(8, 1, "504 timeout"), after: whole(1000, 0, "")}, naive: down,
			want: map[string]string{after: "PASS", before: "FAIL"},
		},
		{
			name: "the naive build recovers as well", ours: slowness{before: whole(9, 0, ""), after: whole(1000, 0, "")},
			naive: slowness{after: whole(1000, 0, "")}, want: map[string]string{after: provesNothing, before: "PASS"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, verdicts(slowFigures(tt.ours, tt.naive, 900))); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADeadServiceIsAskedRarelyAndSaidToBeAway(t *testing.T) {
	t.Parallel()
	const reached, while = "required, refused: calls that reach it until its circuit is open", "required, refused: answers while it is open"
	says := func(kind string) death { return death{open: whole(0, 10, kind)} }
	asked := func(calls int) death {
		return death{until: answers(map[string]int{load.Whole: 5, "502 unreachable": calls, unavailable: 7}), open: whole(0, 10, unavailable)}
	}
	for _, tt := range []struct {
		name        string
		ours, naive death
		want        map[string]string
	}{
		{name: "32 calls", ours: asked(32), naive: says("502 bad_answer"), want: map[string]string{reached: "PASS", while: "PASS"}},
		{name: "33 calls", ours: asked(33), naive: says("502 bad_answer"), want: map[string]string{reached: "FAIL", while: "PASS"}},
		{name: "another answer", ours: says("502 unreachable"), naive: says("502 bad_answer"), want: map[string]string{reached: "PASS", while: "FAIL"}},
		{name: "not said when to come back", ours: says(unavailable + " without Retry-After"), naive: says("502 bad_answer"), want: map[string]string{reached: "PASS", while: "FAIL"}},
		{name: "no answers", naive: says("502 bad_answer"), want: map[string]string{reached: "PASS", while: "FAIL"}},
		{name: "naively the same answer", ours: asked(1), naive: says(unavailable), want: map[string]string{reached: "PASS", while: provesNothing}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, verdicts(requiredFigures(tt.ours, tt.naive))); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
	optional := optionalFigures(says("partial activeOrders;reason=breaker_open"), says("partial activeOrders;reason=bad_answer"))
	if optional[0].verdict() != "PASS" {
		t.Errorf("optional: %+v", optional)
	}
	for calls, want := range map[int]string{0: "FAIL", 1: "PASS", 32: "PASS", 33: "FAIL"} {
		if hanging := hangingFigures(death{calls: calls}, death{calls: 99}); hanging[0].verdict() != want {
			t.Errorf("hanging, with %d calls: %+v", calls, hanging[0])
		}
	}
}

func TestProbesAreExactlyAsManyAsThereShouldBe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		o    probing
		want string
	}{
		{name: "three of a thousand", o: probing{answers(map[string]int{unavailable: 990, "503 overloaded": 7, "504 timeout": 3}), 3}, want: "PASS"},
		{name: "two", o: probing{answers(map[string]int{unavailable: 998, "504 timeout": 2}), 2}, want: "FAIL"},
		{name: "four", o: probing{answers(map[string]int{unavailable: 996, "504 timeout": 4}), 4}, want: "FAIL"},
		{name: "a caller who got something else", o: probing{answers(map[string]int{unavailable: 996, "504 timeout": 3, "reset": 1}), 3}, want: "FAIL"},
		{name: "too few callers", o: probing{answers(map[string]int{unavailable: 900, "504 timeout": 3}), 3}, want: "FAIL"},
	} {
		if got := probeFigures(tt.o)[0].verdict(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestWhatOpensNoCircuitLeavesEveryAnswerWhole(t *testing.T) {
	t.Parallel()
	all, few, bad := whole(deadAfterwards, 0, ""), whole(deadAfterwards-1, 0, ""), whole(deadAfterwards-1, 1, unavailable)
	const left, denied = "after 10 clients that left early", "after 20 answers 404"
	for _, tt := range []struct {
		name                string
		left, naive, denied load.Tally
		want                map[string]string
	}{
		{name: "all is well", left: all, naive: bad, denied: all, want: map[string]string{left: "PASS", denied: "PASS"}},
		{name: "one fails", left: bad, naive: bad, denied: bad, want: map[string]string{left: "FAIL", denied: "FAIL"}},
		{name: "one is missing", left: few, naive: bad, denied: few, want: map[string]string{left: "FAIL", denied: "FAIL"}},
		{name: "naively too", left: all, naive: all, denied: all, want: map[string]string{left: provesNothing, denied: "PASS"}},
	} {
		if diff := cmp.Diff(tt.want, verdicts(innocentFigures(10, 20, tt.left, tt.naive, tt.denied))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAnAnswerExplainsThatAServiceIsSilent(t *testing.T) {
	t.Parallel()
	mobile := rig.BFFs()[0]
	for _, tt := range []struct {
		kind    string
		service rig.Service
		want    bool
	}{
		{"504 timeout", rig.Users, true},
		{"503 unavailable", rig.Users, true},
		{"503 unavailable without Retry-After", rig.Users, false},
		{"502 bad_answer", rig.Users, false},
		{"200", rig.Users, false},
		{"partial user;reason=timeout", rig.Users, false},
		{"partial activeOrders;reason=timeout", rig.Orders, true},
		{"partial activeOrders;reason=breaker_open", rig.Orders, true},
		{"partial activeOrders;reason=shed", rig.Orders, true},
		{"partial activeOrders;reason=bad_answer", rig.Orders, false},
		{"partial metrics;reason=timeout", rig.Orders, false},
		{"partial activeOrders;reason=timeout, metrics;reason=timeout", rig.Orders, false},
		{"504 timeout", rig.Orders, false},
		{"partial metrics;reason=timeout", rig.Analytics, true},
	} {
		if got := explains(tt.kind, mobile, tt.service); got != tt.want {
			t.Errorf("%q without %s: %t", tt.kind, tt.service, got)
		}
	}
	good := hole{needy: whole(0, 5, "504 timeout"), others: whole(5, 0, "")}
	bad := hole{needy: whole(1, 4, "504 timeout"), others: whole(4, 1, "504 timeout")}
	for _, tt := range []struct {
		ours, naive hole
		failed      int
	}{{good, bad, 0}, {bad, bad, 2}, {good, good, 1}} {
		if figures := tt.ours.figures(mobile, rig.Users, tt.naive); failed(figures) != tt.failed {
			t.Errorf("%v: want %d failed", figures, tt.failed)
		}
	}
}

func TestALostReplicaIsHardlyNoticedAndComesBackGently(t *testing.T) {
	t.Parallel()
	const clients = "one replica of 3 lost: sent later than 2s after it, failed"
	const first, later = "hanging: calls to it in the first second after it is back", "hanging: calls to it when it is back"
	good := func() lostReplica {
		return lostReplica{
			way: "hanging", first: shares{50, 100}, later: shares{33, 100},
			ours: lostAnswers{later: whole(999, 1, "504 timeout")}, naive: lostAnswers{later: whole(99, 1, "504 timeout")},
		}
	}
	for _, tt := range []struct {
		name   string
		change func(l *lostReplica)
		fails  string
		how    string
	}{
		{name: "as it should be", change: func(*lostReplica) {}},
		{name: "too many failed", change: func(l *lostReplica) { l.ours.later = whole(998, 2, "504 timeout") }, fails: clients, how: "FAIL"},
		{name: "nothing was sent", change: func(l *lostReplica) { l.ours.later = load.Tally{} }, fails: clients, how: "FAIL"},
		{name: "naively just as well", change: func(l *lostReplica) { l.naive = l.ours }, fails: clients, how: provesNothing},
		{name: "a stampede", change: func(l *lostReplica) { l.first = shares{51, 100} }, fails: first, how: "FAIL"},
		{name: "it is not back", change: func(l *lostReplica) { l.first = shares{0, 100} }, fails: first, how: "FAIL"},
		{name: "it gets too little", change: func(l *lostReplica) { l.later = shares{19, 100} }, fails: later, how: "FAIL"},
		{name: "it gets too much", change: func(l *lostReplica) { l.later = shares{47, 100} }, fails: later, how: "FAIL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{clients: "PASS", first: "PASS", later: "PASS"}
			if tt.fails != "" {
				want[tt.fails] = tt.how
			}
			l := good()
			tt.change(&l)
			if diff := cmp.Diff(want, verdicts(lossFigures([]lostReplica{l}))); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSlownessIsTakenApartByWhenRequestsWereSent(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if slow.Load() {
			w.WriteHeader(http.StatusGatewayTimeout)
		}
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := load.Start(ctx, load.Plan{URL: server.URL, Callers: []http.Header{{}}, Rate: 100, InFlight: 50, Within: 5 * time.Second})
	for l.Tally().Total() < 10 {
		<-time.After(time.Millisecond)
	}
	slow.Store(true)
	healed := time.Since(l.Begun())
	for l.Tally().Total() < 30 {
		<-time.After(time.Millisecond)
	}
	s := newSlowness(l.Stop(), healed)
	if s.soon.Total() == 0 || s.soon.Failed() < s.soon.Total() || s.after.Total() > 0 || s.lastBad == 0 || !strings.Contains(s.recovery(), "failed within 10s") {
		t.Errorf("%+v, %s", s, s.recovery())
	}
}
