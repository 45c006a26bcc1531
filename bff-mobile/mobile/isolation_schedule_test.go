package mobile_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// interleaving is which user asks when, and what the services know of each user meanwhile. It follows from its seed.
// Times are since its beginning.
type interleaving struct {
	seed  uint64
	users int
	// alike says that the services tell all users the same, at the same times.
	alike bool
	// tagsAlike says that the services' tags do not tell whose answer it is.
	tagsAlike bool
	epochs    [len(insiders)][len(canaries)][]epoch
	visits    []visit
}

// insiders are the users, as the services name them.
var insiders = [...]string{"ada", "bob", "eve"}

// canaries are the sections, as the services name them.
var canaries = [...]string{"user", "orders", "metrics"}

// epoch is a time in which a service has one answer for a user.
type epoch struct {
	allowance

	from    time.Duration
	version int
	tagged  bool
	after   time.Duration
	fault   string // instead of the answer, unless it is ""
}

// allowance is what a service allows to be done with its answer.
type allowance struct {
	line                              string // of the field Cache-Control
	explicit, forbidden               bool
	fresh, whileRevalidating, onError time.Duration
}

var allowances = []allowance{
	{line: "private"},
	{line: "no-cache"},
	{line: "no-store, max-age=9, stale-if-error=9", explicit: true, forbidden: true},
	{line: "max-age=1", explicit: true, fresh: time.Second},
	{line: "private, max-age=2", explicit: true, fresh: 2 * time.Second},
	{line: "max-age=30, no-cache, stale-if-error=30", explicit: true},
	{line: "max-age=1, stale-if-error=9, must-revalidate", explicit: true, fresh: time.Second},
	{line: "max-age=0, stale-if-error=3", explicit: true, onError: 3 * time.Second},
	{line: "max-age=1, stale-while-revalidate=2", explicit: true, fresh: time.Second, whileRevalidating: 2 * time.Second},
	{line: "max-age=1, stale-while-revalidate=1, stale-if-error=3", explicit: true, fresh: time.Second, whileRevalidating: time.Second, onError: 3 * time.Second},
}

// visit is a request of a user.
type visit struct {
	condition

	at       time.Duration
	user     int
	token    int           // which of the user's
	patience time.Duration // 0 is endless
}

// condition is which tags a request comes with: the user's last one, any other one of the user's, or of somebody else.
type condition struct {
	own, older, foreign bool
	pick                int
}

const lasting = 6 * time.Second

func newInterleaving(seed uint64) interleaving {
	r := rand.New(rand.NewPCG(seed, 17))
	s := interleaving{seed: seed, users: 2, alike: oneIn(r, 4), tagsAlike: oneIn(r, 2)}
	if oneIn(r, 4) {
		s.users = 3
	}
	for section := range canaries {
		for user := range s.users {
			s.epochs[user][section] = randomEpochs(r)
			if s.alike {
				s.epochs[user][section] = s.epochs[0][section]
			}
		}
	}
	instants := make([]time.Duration, 4)
	for i := range instants {
		instants[i] = rand20(r, lasting)
	}
	for range 8 {
		s.visits = append(s.visits, randomVisit(r, s.users, pick(r, instants)))
	}
	slices.SortStableFunc(s.visits, func(a, b visit) int { return cmp.Compare(a.at, b.at) })
	return s
}

func randomEpochs(r *rand.Rand) []epoch {
	epochs := make([]epoch, 1+r.IntN(4))
	for i := range epochs {
		epochs[i] = epoch{
			tagged:    !oneIn(r, 3),
			after:     pick(r, []time.Duration{0, 0, 10 * time.Millisecond, 10 * time.Millisecond, 45 * time.Millisecond, 150 * time.Millisecond, 350 * time.Millisecond}),
			allowance: pick(r, allowances),
		}
		if i > 0 {
			epochs[i].from = rand20(r, lasting)
		}
		if oneIn(r, 6) {
			epochs[i].fault = pick(r, []string{"500", "503", "429", "403", "refused", "half", "hang"})
		}
	}
	slices.SortStableFunc(epochs, func(a, b epoch) int { return cmp.Compare(a.from, b.from) })
	for i := range epochs[1:] {
		epochs[i+1].version = epochs[i].version + r.IntN(2)
	}
	return epochs
}

func randomVisit(r *rand.Rand, users int, at time.Duration) visit {
	v := visit{
		at:   at + pick(r, []time.Duration{0, 0, 0, 5 * time.Millisecond, 30 * time.Millisecond, 400 * time.Millisecond}),
		user: r.IntN(users), token: r.IntN(2),
		condition: condition{own: oneIn(r, 2), older: oneIn(r, 4), foreign: oneIn(r, 3), pick: r.IntN(1 << 10)},
	}
	if oneIn(r, 5) {
		v.patience = time.Millisecond + rand20(r, 400*time.Millisecond)
	}
	return v
}

func oneIn(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// at is the epoch that it is for a user at a service.
func (s *interleaving) at(user, section int, when time.Duration) epoch {
	epochs := s.epochs[user][section]
	for i := len(epochs) - 1; i > 0; i-- {
		if epochs[i].from <= when {
			return epochs[i]
		}
	}
	return epochs[0]
}

func (s *interleaving) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d users, alike: %t, with the same tags: %t\n", s.seed, s.users, s.alike, s.tagsAlike)
	for user := range s.users {
		for section, epochs := range s.epochs[user] {
			for _, e := range epochs {
				fmt.Fprintf(&b, "  from %v %s of %s is version %d (tagged: %t) after %v, %q %s\n", e.from, canaries[section], insiders[user], e.version, e.tagged, e.after, e.line, e.fault)
			}
		}
	}
	for _, v := range s.visits {
		fmt.Fprintf(&b, "  at %v %s asks with token %d, patience %v, tags: %+v\n", v.at, insiders[v.user], v.token, v.patience, v.condition)
	}
	return b.String()
}
