package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnOverloadPassesWhenWhatCanBeDoneIsDone(t *testing.T) {
	t.Parallel()
	good := func() flood {
		return flood{
			below: flooded{offered: belowPeak, goodput: 90, memory: 50 << 20},
			loads: []flooded{
				{offered: 2, goodput: 90, memory: 60 << 20, tally: answers(map[string]int{"200": 90, "503 unavailable": 110})},
				{offered: 10, goodput: 99, memory: 75 << 20, tally: answers(map[string]int{"200": 99, "503 unavailable": 900})},
			},
			probes: probed{"200": 20},
		}
	}
	bad := flood{loads: []flooded{{goodput: 89.9}, {goodput: 0}}}
	const twice, tenfold, refusals, memory, others = "bff-web: whole answers a second at 2x", "bff-web: whole answers a second at 10x",
		"bff-web: refusals that say when to come back", "bff-web: memory at the most, of that below the peak", "bff-web: /readyz and /web/logout meanwhile"
	for _, tt := range []struct {
		name          string
		change        func(ours *flood)
		fails         string
		naiveDoesWell bool
	}{
		{name: "everything as it should be", change: func(*flood) {}},
		{name: "answers are lost below the peak", change: func(f *flood) { f.below.goodput = 80 }, fails: "bff-web: whole answers a second at 0.9x"},
		{name: "too few whole answers", change: func(f *flood) { f.loads[0].goodput = 89.9 }, fails: twice},
		{name: "too few with more to do", change: func(f *flood) { f.loads[1].goodput = 89.9 }, fails: tenfold},
		{
			name: "one refusal does not say when to come back", fails: refusals,
			change: func(f *flood) { f.loads[1].tally.Kinds["503 unavailable without Retry-After"] = 1 },
		},
		{name: "nothing is refused", change: func(f *flood) {
			for i := range f.loads {
				f.loads[i].tally = answers(map[string]int{"200": 100})
			}
		}, fails: refusals},
		{name: "more memory", change: func(f *flood) { f.loads[0].memory = 76 << 20 }, fails: memory},
		{name: "a logout is shed", change: func(f *flood) { f.probes["503"] = 1 }, fails: others},
		{name: "nobody has looked", change: func(f *flood) { f.probes = nil }, fails: others},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{
				"bff-web: whole answers a second at 0.9x": "PASS", twice: "PASS", tenfold: "PASS", refusals: "PASS", memory: "PASS", others: "PASS",
			}
			if tt.fails != "" {
				want[tt.fails] = "FAIL"
			}
			ours := good()
			tt.change(&ours)
			if diff := cmp.Diff(want, verdicts(overloadFigures(ours, bad))); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
	got := verdicts(overloadFigures(good(), good()))
	for _, what := range []string{twice, tenfold, refusals} {
		if got[what] != provesNothing {
			t.Errorf("%s, where the naive build does as well: %s", what, got[what])
		}
	}
}

func TestAPartnerBesideAFloodGetsNineOfTenAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		kinds  map[string]int
		passes bool
	}{
		{name: "nine of ten", kinds: map[string]int{"200": 9, "503 unavailable": 1}, passes: true},
		{name: "one less", kinds: map[string]int{"200": 8, "503 unavailable": 1}},
		{name: "a part of an answer is none", kinds: map[string]int{"200": 8, "partial metrics;reason=shed": 2}},
		{name: "nobody asked"},
	} {
		if got := besideOf(answers(tt.kinds)); got.passes != tt.passes {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func TestTheMemoryOfAProcessIsItsHighWaterMark(t *testing.T) {
	t.Parallel()
	got, err := parseMemory("Name:\tbff\nVmPeak:\t 1241112 kB\nVmHWM:\t   16384 kB\nVmRSS:\t   15000 kB\n")
	if err != nil || got != 16<<20 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := parseMemory("Name:\tbff\n"); err == nil {
		t.Error("memory of a process without any")
	}
	if err := forgetMemory(os.Getpid()); err != nil {
		t.Fatal(err)
	}
	if own, err := mostMemory(os.Getpid()); err != nil || own <= 0 {
		t.Errorf("this process has %d, %v", own, err)
	}
}
