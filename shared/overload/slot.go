package overload

import "hash/maphash"

// Slot is the place of a request that was let in. The zero Slot is none, and releasing it does nothing. Its methods
// are not called concurrently.
type Slot struct {
	limiter    *Limiter
	caller     uint64 // whom it counts for
	credential uint64 // that nobody has accepted yet, or 0
	released   bool
}

// Release gives the place to another request. Only the first call does.
func (s *Slot) Release() {
	if s.limiter == nil || s.released {
		return
	}
	s.released = true
	s.limiter.giveBack(s.caller)
}

// Unconfirmed reports whether the request came with a credential of which it is not known to whom it belongs.
func (s *Slot) Unconfirmed() bool { return s.credential != 0 }

// Confirm says to whom the credential of the request belongs, as authentication has found, before or after the slot is
// released. The next requests that come with it count for that caller; this one stays where it counts.
func (s *Slot) Confirm(caller string) {
	if s.Unconfirmed() {
		s.limiter.accepted.add(s.credential, maphash.String(s.limiter.seeds.identity, caller))
	}
}
