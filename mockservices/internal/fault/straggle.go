package fault

import (
	"math/rand/v2"
	"sync"
	"time"
)

// stragglers is the share of requests that takes longer. The seed and the order of arrival decide which these are.
type stragglers struct {
	share float64
	by    time.Duration

	mu    sync.Mutex
	draws *rand.Rand
}

func newStragglers(share float64, by time.Duration, seed uint64) *stragglers {
	draws := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // repeating itself is what it is for
	return &stragglers{share: share, by: by, draws: draws}
}

// next is how much longer the next request takes. A nil one delays none.
func (s *stragglers) next() time.Duration {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draws.Float64() < s.share {
		return s.by
	}
	return 0
}
