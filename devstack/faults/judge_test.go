package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

// answers is a tally of so many answers of each kind; those of the kinds that are lost came from nobody.
func answers(kinds map[string]int, lost ...string) load.Tally {
	t := load.Tally{Kinds: kinds}
	for _, kind := range lost {
		t.Lost += kinds[kind]
	}
	return t
}

// verdicts is what becomes of the figures, by what they are about.
func verdicts(figures []figure) map[string]string {
	all := map[string]string{}
	for _, f := range figures {
		all[f.what] = f.verdict()
	}
	return all
}

const provesNothing = "FAIL: proves nothing, for the naive build passes"

func TestARollingRestartPassesWhenNothingFailsAndTheNaiveOneLosesSomething(t *testing.T) {
	t.Parallel()
	plan := rolling{restarts: 2, least: 10}
	loses := answers(map[string]int{"200": 8, "502": 3}, "502")
	for _, tt := range []struct {
		name         string
		ours         rolled
		naive        load.Tally
		failed, ends string
	}{
		{name: "nothing failed", ours: rolled{ended: 2, tally: answers(map[string]int{"200": 10})}, naive: loses, failed: "PASS", ends: "PASS"},
		{name: "too few requests", ours: rolled{ended: 2, tally: answers(map[string]int{"200": 9})}, naive: loses, failed: "FAIL", ends: "PASS"},
		{name: "one was lost", ours: rolled{ended: 2, tally: answers(map[string]int{"200": 10, "cut": 1}, "cut")}, naive: loses, failed: "FAIL", ends: "PASS"},
		{name: "one was answered in part", ours: rolled{ended: 2, tally: answers(map[string]int{"200": 10, "partial": 1})}, naive: loses, failed: "FAIL", ends: "PASS"},
		{name: "a replica did not end well", ours: rolled{ended: 1, tally: answers(map[string]int{"200": 10})}, naive: loses, failed: "PASS", ends: "FAIL"},
		{
			name: "the naive build loses nothing either", ours: rolled{ended: 2, tally: answers(map[string]int{"200": 10})},
			naive: answers(map[string]int{"200": 10}), failed: provesNothing, ends: "PASS",
		},
		{
			name: "the naive build was only slow", ours: rolled{ended: 2, tally: answers(map[string]int{"200": 10})},
			naive: answers(map[string]int{"200": 10, "partial": 1}), failed: provesNothing, ends: "PASS",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{"x: requests that failed": tt.failed, "x: replicas that ended with status 0": tt.ends}
			if diff := cmp.Diff(want, verdicts(tt.ours.figures(rig.BFF{Name: "x"}, plan, rolled{tally: tt.naive}))); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStopPassesWhenTheSignalIsHeededInEveryWay(t *testing.T) {
	t.Parallel()
	good := func() stopped {
		return stopped{
			probes: []string{"503", "503", "refused"}, served: answers(map[string]int{"200": stopServed}),
			held: answers(map[string]int{"200": stopHeld}), afterClose: stopHeld, socket: shutdown,
		}
	}
	naive := stopped{served: answers(map[string]int{"refused": stopServed}), held: answers(map[string]int{"refused": stopHeld}), status: -1, socket: -1}
	const readiness, onNew, overClose, exit, socket = "x: /readyz after the signal", "x: over new connections after the signal",
		"x: in flight when the listener closed", "x: exit status", "x: the socket's close code"
	for _, tt := range []struct {
		name   string
		change func(o *stopped)
		fails  string
	}{
		{name: "everything as it should be", change: func(*stopped) {}},
		{name: "readiness says 200 at first", change: func(o *stopped) { o.probes[0] = "200" }, fails: readiness},
		{name: "readiness says 200 again", change: func(o *stopped) { o.probes[1] = "200" }, fails: readiness},
		{name: "readiness is gone at once", change: func(o *stopped) { o.probes = []string{"refused"} }, fails: readiness},
		{name: "a new connection is refused", change: func(o *stopped) { o.served = answers(map[string]int{"200": stopServed - 1, "refused": 1}) }, fails: onNew},
		{name: "a request in flight is cut", change: func(o *stopped) { o.held, o.afterClose = answers(map[string]int{"200": 7, "closed": 1}), 7 }, fails: overClose},
		{name: "no request was in flight", change: func(o *stopped) { o.afterClose = 0 }, fails: overClose},
		{name: "it ends with an error", change: func(o *stopped) { o.status = 1 }, fails: exit},
		{name: "the socket ends without a word", change: func(o *stopped) { o.socket = -1 }, fails: socket},
		{name: "the socket is told to stay away", change: func(o *stopped) { o.socket = 4501 }, fails: socket},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{readiness: "PASS", onNew: "PASS", overClose: "PASS", exit: "PASS", socket: "PASS"}
			if tt.fails != "" {
				want[tt.fails] = "FAIL"
			}
			ours := good()
			tt.change(&ours)
			if diff := cmp.Diff(want, verdicts(stopFigures(rig.BFF{Name: "x", Socket: "/ws"}, ours, naive))); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
	for what, verdict := range verdicts(stopFigures(rig.BFF{Name: "x", Socket: "/ws"}, good(), good())) {
		if verdict != provesNothing {
			t.Errorf("%s, where the naive build does as well: %s", what, verdict)
		}
	}
	if figures := stopFigures(rig.BFF{Name: "x"}, good(), naive); len(figures) != 4 {
		t.Errorf("without a socket there are %d figures", len(figures))
	}
}
