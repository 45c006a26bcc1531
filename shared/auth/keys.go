package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// refreshEvery is how long a key that the issuer removed goes on working, at most and a fetch.
	refreshEvery = 2 * time.Minute
	// coolDown keeps callers who invent kids from making us ask the issuer more than twice a minute.
	coolDown = 30 * time.Second
	// After a failed fetch the next one waits for the first of these, doubled by every further failure
	// up to the second, so that a short absence of the issuer stays short.
	firstPause, longestPause = time.Second, 30 * time.Second
	// staleAfter is how long known keys serve while the issuer is away.
	staleAfter = 24 * time.Hour
)

// keySet is the keys of one issuer. They are fetched when the first is asked for, and again when one is
// asked for that is not there. Reading takes no lock.
type keySet struct {
	issuer issuer
	log    *slog.Logger
	flight singleflight.Group
	held   atomic.Pointer[snapshot]
}

// snapshot is what is known about the keys. It is never changed; only the fetch under way, of which
// there is one, replaces it.
type snapshot struct {
	keys map[string]*key
	// from is where the issuer publishes the keys, or empty when that has to be discovered (again).
	from string
	// fetched is when the keys were current; zero means never.
	fetched time.Time
	// failure is why the latest fetch failed, or nil if it was good.
	failure error
	pause   time.Duration
	// askAgain is when the next unknown kid may cause a fetch.
	askAgain time.Time
}

func newKeySet(from issuer, log *slog.Logger) *keySet {
	s := &keySet{issuer: from, log: log}
	s.held.Store(&snapshot{})
	return s
}

// known returns the key that the issuer calls id, or nil.
func (s *keySet) known(id string, now time.Time) *key { return s.held.Load().known(id, now) }

func (h *snapshot) known(id string, now time.Time) *key {
	if now.Sub(h.fetched) >= staleAfter {
		return nil
	}
	return h.keys[id]
}

// find returns the key that the issuer calls id, and asks the issuer when it is not known. All who wait
// share one fetch. The error is errUnknownKey when the issuer has no such key, unavailable when the issuer
// could not be asked, or that of ctx.
func (s *keySet) find(ctx context.Context, id string) (*key, error) {
	// Twice, for the fetch that was joined may have begun before the issuer had the key; one that is
	// begun for an unknown kid is always followed by a time without any.
	for round := 0; ; round++ {
		now, held := time.Now(), s.held.Load()
		if k := held.known(id, now); k != nil {
			return k, nil
		}
		if round == 2 || now.Before(held.askAgain) {
			return nil, held.absence(id, now)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.alone(s.fetchUnknown):
		}
	}
}

// absence says whose fault it is that there is no key of that id.
func (h *snapshot) absence(id string, now time.Time) error {
	switch {
	case h.failure != nil:
		return &unavailable{cause: h.failure, wait: h.askAgain.Sub(now)}
	case now.Sub(h.fetched) >= staleAfter:
		return &unavailable{cause: errors.New("they were not fetched in time"), wait: firstPause}
	default:
		return fmt.Errorf("%w: kid %.64q", errUnknownKey, id)
	}
}

// refresh fetches the keys again and again until ctx ends, and returns when no fetch is under way. The
// first fetch is left to the first request.
func (s *keySet) refresh(ctx context.Context) {
	for {
		select {
		case <-time.After(time.Until(s.held.Load().due())):
			<-s.alone(s.fetchDue)
		case <-ctx.Done():
			// A fetch outlives the requests that wait for it, but not this.
			<-s.alone(func() {})
			return
		}
	}
}

// due is when the keys want to be fetched again.
func (h *snapshot) due() time.Time {
	switch {
	case h.failure != nil:
		return h.askAgain
	case h.fetched.IsZero():
		return time.Now().Add(refreshEvery)
	default:
		return h.fetched.Add(refreshEvery)
	}
}

// alone runs work in a goroutine unless something runs already, and returns a channel that says when
// either has ended.
func (s *keySet) alone(work func()) <-chan singleflight.Result {
	return s.flight.DoChan("", func() (any, error) {
		work()
		return nil, nil
	})
}

// fetchUnknown fetches because a kid is unknown.
func (s *keySet) fetchUnknown() {
	// Who comes when a fetch has just ended would begin another.
	if held := s.held.Load(); !time.Now().Before(held.askAgain) {
		s.replace(held, coolDown)
	}
}

// fetchDue fetches because it is time to, unless a request did meanwhile.
func (s *keySet) fetchDue() {
	if held := s.held.Load(); time.Until(held.due()) <= 0 {
		s.replace(held, 0)
	}
}

// replace puts what the issuer says in the place of what is held. After success, unknown kids cause no
// fetch for as long as cool says.
func (s *keySet) replace(held *snapshot, cool time.Duration) {
	keys, from, err := s.fetch(held.from)
	now := time.Now()
	if err != nil {
		next := *held
		next.from, next.failure = "", err
		next.pause = min(max(2*held.pause, firstPause), longestPause)
		next.askAgain = now.Add(next.pause)
		s.held.Store(&next)
		if held.failure == nil {
			s.log.Warn("signing keys cannot be fetched", "issuer", s.issuer.name, "error", err.Error())
		}
		return
	}
	for id, k := range keys {
		// A key that stays is the same key, so that what it signed stays verified.
		if old := held.keys[id]; old != nil && old.same(k) {
			keys[id] = old
		}
	}
	s.held.Store(&snapshot{keys: keys, from: from, fetched: now, askAgain: now.Add(cool)})
	if held.failure != nil {
		s.log.Info("signing keys are fetched again", "issuer", s.issuer.name)
	}
}

// fetch belongs to no request: neither its end nor its values govern what all wait for. Nobody above
// could recover from a panic in it.
func (s *keySet) fetch(from string) (keys map[string]*key, found string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the fetch panicked: %v", p)
		}
	}()
	return s.issuer.fetch(context.Background(), from)
}
