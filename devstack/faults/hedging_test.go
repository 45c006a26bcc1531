package main

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHedgingPassesWhenFewCallsMakeTheLateAnswersEarly(t *testing.T) {
	t.Parallel()
	const fast, slow = 250 * time.Millisecond, 500 * time.Millisecond
	hundred := answers(map[string]int{"200": 100})
	const p99, whole, extra, cancelled, all = "2 % are 500 ms late: p99 of the dashboard", "2 % are 500 ms late: dashboards that are not whole",
		"2 % are 500 ms late: calls beyond one for each dashboard", "2 % are 500 ms late: calls that were cancelled, of these",
		"all get late: calls beyond one for each dashboard"
	for _, tt := range []struct {
		name   string
		change func(ours, naive, late *hedged)
		want   map[string]string // but PASS
	}{
		{name: "everything as it should be", change: func(_, _, _ *hedged) {}},
		{name: "answers are as late as ever", change: func(ours, _, _ *hedged) { ours.p99 = slow }, want: map[string]string{p99: "FAIL"}},
		{name: "nobody is late, hedged or not", change: func(ours, naive, _ *hedged) { ours.p99, naive.p99 = 0, 0 }, want: map[string]string{p99: provesNothing}},
		{name: "an answer is not whole", change: func(ours, _, _ *hedged) { ours.tally = answers(map[string]int{"200": 99, "502": 1}) }, want: map[string]string{whole: "FAIL"}},
		{name: "too many calls", change: func(ours, _, _ *hedged) { ours.calls, ours.left = 106, 6 }, want: map[string]string{extra: "FAIL"}},
		{name: "no twin at all", change: func(ours, _, _ *hedged) { ours.calls, ours.left = 100, 0 }, want: map[string]string{cancelled: "FAIL"}},
		{name: "the loser goes on", change: func(ours, _, _ *hedged) { ours.left = 4 }, want: map[string]string{cancelled: "FAIL"}},
		{name: "too many calls when all are late", change: func(_, _, late *hedged) { late.calls = 106 }, want: map[string]string{all: "FAIL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{p99: "PASS", whole: "PASS", extra: "PASS", cancelled: "PASS", all: "PASS"}
			maps.Copy(want, tt.want)
			ours, naive, late := hedged{p99: fast, tally: hundred, calls: 105, left: 5}, hedged{p99: slow}, hedged{tally: hundred, calls: 105}
			tt.change(&ours, &naive, &late)
			if diff := cmp.Diff(want, verdicts(hedgedFigures(ours, naive, late))); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
}
