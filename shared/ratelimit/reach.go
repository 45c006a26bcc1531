package ratelimit

import (
	"sync"
	"time"
)

// askAgain is for how long Redis is left alone that has failed.
const askAgain = 500 * time.Millisecond

// reach keeps requests from waiting for a Redis that does not answer.
type reach struct {
	mu   sync.Mutex
	away bool
	next time.Time // when somebody is to ask again
}

// redis reports whether a request is to ask Redis, and whether Redis is known to answer. While it is away one request
// asks in each askAgain, which is longer than an answer may take.
func (r *reach) redis(now time.Time) (known, ask bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.away {
		return true, true
	}
	if now.Before(r.next) {
		return false, false
	}
	r.next = now.Add(askAgain)
	return false, true
}

func (r *reach) answered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = false
}

func (r *reach) failed(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away, r.next = true, now.Add(askAgain)
}

// seldom keeps the log short.
type seldom struct {
	every time.Duration

	mu   sync.Mutex
	last time.Time
}

// due reports whether it is time for another line.
func (s *seldom) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && now.Sub(s.last) < s.every {
		return false
	}
	s.last = now
	return true
}
