package overload_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"bff.internal/shared/overload"
)

// Whatever comes and goes in whatever order: what callers may rely on.
func TestWhateverComesAndGoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		chance := rand.New(rand.NewPCG(seed, 1))
		limit, callers := 1+chance.IntN(60), 1+chance.IntN(12)
		w := newWorld(t, limit)
		flight := make([][]*overload.Slot, callers)
		eager := 1 + chance.IntN(9) // of ten steps, so many are arrivals
		for step := range 1000 {
			i := chance.IntN(callers)
			if i > 0 && chance.IntN(2) == 0 {
				i = 0 // floods
			}
			switch own := flight[i]; {
			case chance.IntN(10) < eager:
				state := look(flight, i, limit)
				slot, refusal := w.ask(from("10.0.0." + strconv.Itoa(i)))
				if fault := state.fault(refusal == nil); fault != "" {
					t.Fatalf("seed %d, step %d: %s: %+v, admitted: %v", seed, step, fault, state, refusal == nil)
				}
				if refusal == nil {
					flight[i] = append(own, slot)
				}
			case len(own) > 0:
				own[len(own)-1].Release()
				flight[i] = own[:len(own)-1]
			}
		}
		w.end()
		if requests, left := w.InFlight(); requests != 0 || left != 0 {
			t.Fatalf("seed %d: %d requests of %d callers are left", seed, requests, left)
		}
	}
}

// state is what there was when somebody asked.
type state struct {
	limit, total, own, active int
	// share is what is left for each when one more part is kept for whoever comes next.
	share int
	// greedy is whether any of the others has more than that.
	greedy bool
}

func look(flight [][]*overload.Slot, who, limit int) state {
	s := state{limit: limit, own: len(flight[who])}
	for i, own := range flight {
		s.total += len(own)
		if len(own) > 0 || i == who {
			s.active++
		}
	}
	s.share = limit / (s.active + 1)
	for i, own := range flight {
		s.greedy = s.greedy || i != who && len(own) > s.share
	}
	return s
}

// fault is the promise that was broken by letting the request in, or by not doing so.
func (s state) fault(admitted bool) string {
	switch {
	case admitted && s.total >= s.limit:
		return "above the limit"
	case admitted && 2*(s.own+1) > s.limit+1:
		return "one caller has more than half"
	case !admitted && s.total == 0:
		return "an idle server turns somebody away"
	case !admitted && s.own == 0 && s.total < s.limit:
		return "somebody with nothing is turned away while there is a place"
	case !admitted && s.own < s.share && !s.greedy:
		return "somebody below the share is turned away while nobody is above it"
	default:
		return ""
	}
}
