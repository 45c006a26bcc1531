package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/devstack/faults/hostile"
	"bff.internal/devstack/faults/rig"
)

func TestAHostileAnswerPassesWhenItIsRefusedAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	good := func() []meeting {
		met := func(service rig.Service, shape hostile.Shape, kind string) meeting {
			return meeting{shape: shape, service: service, tally: answers(map[string]int{kind: hostileAsks}), asked: hostileAsks, memory: 8 << 20}
		}
		return []meeting{
			met(rig.Users, hostile.Shape{Name: "bad"}, "502 bad_answer"),
			met(rig.Users, hostile.Shape{Name: "late", Late: true}, "504 timeout"),
			met(rig.Orders, hostile.Shape{Name: "packed", Compressed: true}, "partial activeOrders;reason=bad_answer"),
			met(rig.Orders, hostile.Shape{Name: "late", Late: true}, "partial activeOrders;reason=timeout"),
		}
	}
	greedy := good()
	greedy[0].memory = 17 << 20
	const memory, compressed, open, goroutines = "memory for answers, at the most", "memory for compressed answers, at the most",
		"connections that are left, at the most", "goroutines that are left, at the most"
	for _, tt := range []struct {
		name   string
		change func(met []meeting)
		fails  string
	}{
		{name: "everything as it should be", change: func([]meeting) {}},
		{name: "one is taken for good", change: func(m []meeting) { m[0].tally = answers(map[string]int{"502 bad_answer": 2, "200": 1}) }, fails: "users: bad"},
		{name: "one was not asked", change: func(m []meeting) { m[0].asked-- }, fails: "users: bad"},
		{name: "one was asked again", change: func(m []meeting) { m[0].asked++ }, fails: "users: bad"},
		{name: "bad instead of late", change: func(m []meeting) { m[1].tally = m[0].tally }, fails: "users: late"},
		{name: "what is not needed is missed", change: func(m []meeting) { m[2].tally = m[0].tally }, fails: "orders: packed"},
		{name: "late instead of bad", change: func(m []meeting) { m[2].tally = m[3].tally }, fails: "orders: packed"},
		{name: "memory", change: func(m []meeting) { m[3].memory = 17 << 20 }, fails: memory},
		{name: "memory for what was unpacked", change: func(m []meeting) { m[2].memory = 9 << 20 }, fails: compressed},
		{name: "a connection", change: func(m []meeting) { m[1].open = 1 }, fails: open},
		{name: "goroutines", change: func(m []meeting) { m[1].goroutines = fewGoroutines + 1 }, fails: goroutines},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{
				"users: bad": "PASS", "users: late": "PASS", "orders: packed": "PASS", "orders: late": "PASS",
				memory: "PASS", compressed: "PASS", open: "PASS", goroutines: "PASS",
			}
			if tt.fails != "" {
				want[tt.fails] = "FAIL"
			}
			ours := good()
			tt.change(ours)
			if diff := cmp.Diff(want, verdicts(hostileFigures(ours, greedy))); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
	if got := verdicts(hostileFigures(good(), good()))[memory]; got != provesNothing {
		t.Errorf("%s, where the naive build does as well: %s", memory, got)
	}
	if got := verdicts(hostileFigures(nil, greedy))[memory]; got != "FAIL" {
		t.Errorf("%s, of no answers: %s", memory, got)
	}
}
