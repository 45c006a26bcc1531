package cache_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bff.internal/shared/cache"
)

// world is a service with one value for each caller and one for all, which writes make new, and a store in front of it.
type world struct {
	store  *cache.Store
	random *rand.Rand
	// version counts the writes to what a caller, or "", may read.
	version map[string]int
	// inFlight are answers on their way to their caller.
	inFlight []flight
	log      []string
}

type flight struct {
	caller string
	entry  *cache.Entry
}

// step does one thing by chance and returns what is wrong with it, or "".
func (w *world) step() string {
	caller := []string{"ada", "bob"}[w.random.IntN(2)]
	switch w.random.IntN(8) {
	case 0:
		w.notef("%s writes", caller)
		w.version[caller]++
		w.version[""]++
		w.store.Changed(caller, "orders")
	case 1, 2:
		w.ask(caller)
	case 3, 4:
		w.arrive()
	case 5:
		w.notef("%s forgets", caller)
		w.store.Forget(keyOf(caller))
	default:
		return w.read(caller)
	}
	return ""
}

// ask sends a request, whose answer is made at once and comes later.
func (w *world) ask(caller string) {
	owner, line := caller, fresh
	if w.random.IntN(4) == 0 {
		owner, line = "", public
	}
	x := answered(time.Now(), line)
	x.Mark = w.store.Now()
	x.Value = fmt.Sprintf("%s/%d", owner, w.version[owner])
	w.notef("%s asks and is to get %s", caller, x.Value)
	w.inFlight = append(w.inFlight, flight{caller, cache.NewEntry(x)})
}

func (w *world) arrive() {
	if len(w.inFlight) == 0 {
		return
	}
	i := w.random.IntN(len(w.inFlight))
	f := w.inFlight[i]
	w.inFlight = append(w.inFlight[:i], w.inFlight[i+1:]...)
	w.notef("%s gets %s", f.caller, f.entry.Value())
	w.store.Put(keyOf(f.caller), f.entry)
}

// read sees only what is the caller's own or everybody's, and nothing from before a write.
func (w *world) read(caller string) string {
	got := value(w.store.Get(keyOf(caller), nil))
	w.notef("%s reads %s", caller, got)
	for _, owner := range []string{caller, ""} {
		if got == fmt.Sprintf("%s/%d", owner, w.version[owner]) {
			return ""
		}
	}
	if got == "" {
		return ""
	}
	return fmt.Sprintf("%s got %q; the versions are %v", caller, got, w.version)
}

func (w *world) notef(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func TestNoCallerEverGetsWhatIsNotHis(t *testing.T) {
	t.Parallel()
	hits := 0
	for seed := range uint64(300) {
		w := &world{store: cache.New(large), random: rand.New(rand.NewPCG(seed, 0)), version: map[string]int{}}
		for range 200 {
			if wrong := w.step(); wrong != "" {
				t.Fatalf("seed %d: %s, after:\n%s", seed, wrong, strings.Join(w.log, "\n"))
			}
		}
		hits += strings.Count(strings.Join(w.log, "\n"), "reads ada/") + strings.Count(strings.Join(w.log, "\n"), "reads bob/")
	}
	if hits < 1000 {
		t.Errorf("only %d reads found something of the caller's own", hits)
	}
}

func TestAStoreMayBeUsedConcurrently(t *testing.T) {
	t.Parallel()
	const limit = 1 << 18
	s := cache.New(limit)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { useConcurrently(t, s, fmt.Sprintf("caller%d", i%4), uint64(i)) })
	}
	all.Wait()
	put(s, keyOf("ada"), "last", fresh)
	if got := s.Bytes(); got > limit {
		t.Errorf("%d bytes are left", got)
	}
}

func useConcurrently(t *testing.T, s *cache.Store, caller string, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		key := keyOf(caller)
		key.Target = strconv.Itoa(random.IntN(50))
		switch random.IntN(8) {
		case 0:
			s.Changed(caller, "orders")
		case 1:
			s.Forget(key)
		case 2:
			put(s, key, "all's", public, "Vary: Accept")
		case 3, 4:
			put(s, key, caller, fresh)
		default:
			if got := value(s.Get(key, nil)); got != "" && got != caller && got != "all's" {
				t.Errorf("%s got %q", caller, got)
			}
		}
		if s.Bytes() < 0 || s.Entries() < 0 {
			t.Error("the store holds less than nothing")
		}
	}
}
