package cache

import (
	"strconv"
	"testing"
)

func TestChangesRememberTheLastOfEachScope(t *testing.T) {
	t.Parallel()
	c := newChanges()
	ada, bob := scope{"ada", "orders"}, scope{"bob", "orders"}
	before := c.now()
	c.add(ada)
	between := c.now()
	c.add(bob)
	after := c.now()
	for _, row := range []struct {
		name    string
		mark    Mark
		scope   scope
		changed bool
	}{
		{name: "a change is after the mark before it", mark: before, scope: ada, changed: true},
		{name: "a change is not after the mark behind it", mark: between, scope: ada},
		{name: "the second is after the mark between them", mark: between, scope: bob, changed: true},
		{name: "nothing is after the last mark", mark: after, scope: bob},
		{name: "another service has not changed", mark: before, scope: scope{"ada", "users"}},
		{name: "names do not run into each other", mark: before, scope: scope{"adao", "rders"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := c.since(row.mark, row.scope); got != row.changed {
				t.Errorf("changed: %v", got)
			}
		})
	}
}

func TestChangesForgetNoneThatMatters(t *testing.T) {
	t.Parallel()
	const many = 5 * maxChanges
	c := newChanges()
	caller := func(i int) scope { return scope{strconv.Itoa(i), "orders"} }
	marks := make([]Mark, many)
	for i := range many {
		marks[i] = c.now()
		c.add(caller(i))
		if n := len(c.recent) + len(c.earlier); n >= 2*maxChanges {
			t.Fatalf("%d scopes are remembered", n)
		}
	}
	for i, mark := range marks {
		if !c.since(mark, caller(i)) {
			t.Fatalf("change %d of %d is forgotten", i, many)
		}
	}
	quiet := scope{"quiet", "orders"}
	if !c.since(marks[0], quiet) {
		t.Error("a mark from before what is forgotten counts as good")
	}
	if c.since(marks[many-maxChanges], quiet) {
		t.Error("a mark from after what is forgotten counts as too old")
	}
	if c.since(c.now(), caller(many-1)) {
		t.Error("a new mark counts as too old")
	}
}
