package mobile_test

import (
	"crypto/ecdsa"
	"flag"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var interleavings = flag.Uint64("interleavings", 2000, "how many random interleavings of users to play; -run 'Reaches///seed=7$' plays one")

// TestNoByteAndNo304OfOneUserReachesAnother plays interleavings of users, who ask at the same times, come with each
// other's tags and leave when they like, over services that allow all sorts of keeping, and fail. Whatever happens, every
// answer is the user's own, no older than the services allow, and in one of the stated forms.
func TestNoByteAndNo304OfOneUserReachesAnother(t *testing.T) { //nolint:tparallel // all at once would be too many
	t.Parallel()
	const few = 200
	most := *interleavings
	if testing.Short() {
		most = min(most, few)
	}
	key, reached := newKey(t), &tally{counts: map[string]int{}}
	t.Run("all", func(t *testing.T) {
		const atATime = 4
		for first := range uint64(atATime) {
			t.Run(fmt.Sprintf("every %dth from %d", atATime, first), func(t *testing.T) {
				t.Parallel()
				for seed := first; seed < most; seed += atATime {
					t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { //nolint:paralleltest // a few at a time
						synctest.Test(t, func(t *testing.T) { interleave(t, newInterleaving(seed), key, reached) })
					})
				}
			})
		}
	})
	reached.check(t)
}

func interleave(t *testing.T, s interleaving, key *ecdsa.PrivateKey, reached *tally) {
	t.Helper()
	w := newIsolated(t, s, key, reached.add)
	reached.add(thePlayed)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.String())
			for _, e := range w.events {
				t.Logf("%v: "+e.format, append([]any{e.at}, e.args...)...)
			}
		}
	})
	var visits sync.WaitGroup
	for _, v := range s.visits {
		visits.Go(func() {
			<-time.After(v.at)
			w.judge(w.ask(v))
		})
	}
	visits.Wait()
	<-time.After(lasting) // what is asked for while nobody waits has its end too
}

// tally counts what has happened.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
}

// check wants the interleavings to have led to everything that can happen, or they would show nothing.
func (c *tally) check(t *testing.T) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		t.Logf("%6d %s", c.counts[what], what)
	}
	const tell = 200
	if c.counts[thePlayed] < tell {
		return
	}
	for _, want := range []string{
		whole200, "200 partial", "304", "client gone", "403 forbidden", "502 bad_answer", "502 unreachable", "503 unavailable", "504 timeout",
		"hit", "stale hit", "fwd=miss", "fwd=miss; collapsed", "fwd=stale; fwd-status=304", "the tag of another is of no use",
	} {
		if c.counts[want] == 0 {
			t.Errorf("no %q in %d interleavings", want, c.counts[thePlayed])
		}
	}
}
