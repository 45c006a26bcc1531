package fault

import (
	"sync"
	"time"
)

// slots is what a service can work on at a time: so many requests, and the others queue in the order of their arrival,
// without bound. What was taken on is worked off whether or not its client still waits: a slot is booked, not held, so
// that the queue costs nothing but its clients' connections.
type slots struct {
	work time.Duration // for each request

	mu     sync.Mutex
	freeAt []time.Time // of each slot; in the past when it is free
}

func newSlots(count int, work time.Duration) *slots {
	return &slots{work: work, freeAt: make([]time.Time, count)}
}

// book takes on a request that needs more time than the others, or 0, and returns how long it is until it is done.
func (s *slots) book(more time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := 0
	for i, free := range s.freeAt {
		if free.Before(s.freeAt[first]) {
			first = i
		}
	}
	now := time.Now()
	begins := s.freeAt[first]
	if begins.Before(now) {
		begins = now
	}
	s.freeAt[first] = begins.Add(s.work + more)
	return s.freeAt[first].Sub(now)
}
