package cache_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"bff.internal/shared/cache"
)

func TestTheUseOfAnswersIsThatOfTheWorst(t *testing.T) {
	t.Parallel()
	hit := cache.Use{Status: cache.Hit, Explicit: true, Remaining: 20 * second, Age: 40 * second}
	for _, tt := range []struct {
		name string
		uses []cache.Use
		want cache.Use
	}{
		{"of none, nothing", nil, cache.Use{}},
		{"of one, its own", []cache.Use{hit}, hit},
		{"of one that is stale, its own", []cache.Use{{Status: cache.Stale, Remaining: -second}}, cache.Use{Status: cache.Stale, Remaining: -second}},
		{
			"a miss beside a hit is a miss, and the shorter time and the greater age count",
			[]cache.Use{hit, {Status: cache.Miss, Explicit: true, Remaining: 60 * second}},
			cache.Use{Status: cache.Miss, Explicit: true, Remaining: 20 * second, Age: 40 * second},
		},
		{
			"a time that is not stated for one is not stated for all",
			[]cache.Use{hit, {Status: cache.Revalidated, Remaining: 30 * second}},
			cache.Use{Status: cache.Revalidated, Remaining: 20 * second, Age: 40 * second},
		},
		{
			"what is forbidden for one is forbidden for all",
			[]cache.Use{{Status: cache.Collapsed, Forbidden: true}, hit},
			cache.Use{Status: cache.Collapsed, Forbidden: true, Age: 40 * second},
		},
		{
			"nothing is worse than stale",
			[]cache.Use{{Status: cache.Miss, Remaining: second}, {Status: cache.Stale, Remaining: -5 * second, Age: 65 * second}, hit},
			cache.Use{Status: cache.Stale, Remaining: -5 * second, Age: 65 * second},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var there, back cache.Notes
			for i := range tt.uses {
				there.Add(tt.uses[i])
				back.Add(tt.uses[len(tt.uses)-1-i])
			}
			if there.Use() != tt.want || back.Use() != tt.want {
				t.Errorf("the use is %+v, and %+v the other way round; want %+v", there.Use(), back.Use(), tt.want)
			}
		})
	}
}

func TestAStatusIsOneWord(t *testing.T) {
	t.Parallel()
	for status, want := range map[cache.Status]string{
		0: "", cache.Stale: "stale", cache.Miss: "miss", cache.Collapsed: "collapsed", cache.Revalidated: "revalidated", cache.Hit: "hit",
	} {
		if got := status.String(); got != want {
			t.Errorf("status %d is %q, want %q", status, got, want)
		}
	}
}

func TestAContextCarriesItsNotes(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Hour)
	if cache.NotesFrom(ctx) != nil {
		t.Error("there are notes that nobody has given")
	}
	var outer, inner cache.Notes
	noted := cache.WithNotes(ctx, &outer)
	nested := cache.WithNotes(noted, &inner)
	cache.NotesFrom(noted).Add(cache.Use{Status: cache.Hit})
	cache.NotesFrom(nested).Add(cache.Use{Status: cache.Miss})
	if outer.Use().Status != cache.Hit || inner.Use().Status != cache.Miss {
		t.Errorf("the notes are %s outside and %s inside", outer.Use().Status, inner.Use().Status)
	}
	for name, c := range map[string]context.Context{"noted": noted, "nested": nested} {
		deadline, ok := c.Deadline()
		if want, _ := ctx.Deadline(); !ok || !deadline.Equal(want) || c.Value(key{}) != "value" || c.Err() != nil {
			t.Errorf("%s: the context has lost something", name)
		}
	}
	cancel()
	for name, c := range map[string]context.Context{"noted": noted, "nested": nested} {
		<-c.Done()
		if c.Err() == nil {
			t.Errorf("%s: the context has not ended", name)
		}
	}
}

func TestNotesMayBeTakenConcurrently(t *testing.T) {
	t.Parallel()
	var notes cache.Notes
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			notes.Add(cache.Use{Status: cache.Hit, Explicit: true, Remaining: time.Duration(i+1) * second})
			notes.Use()
		})
	}
	all.Wait()
	if want := (cache.Use{Status: cache.Hit, Explicit: true, Remaining: second}); notes.Use() != want {
		t.Errorf("the use is %+v, want %+v", notes.Use(), want)
	}
}
