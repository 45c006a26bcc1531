package cache

import (
	"math"
	"net/http"
	"reflect"
	"time"

	"github.com/maypok86/otter/v2"
)

// Key names an answer. Its parts are compared each for itself, so that no two keys can run into each other.
type Key struct {
	// Caller is who the answer is for. No caller is ever given the answer of another one; "" has only public ones.
	Caller string
	// Service is who gave it.
	Service string
	// Target is the path and the query.
	Target string
	// As is the type of the value, so that nobody gets one of another type.
	As reflect.Type
}

// public is the key under which all callers find the answer.
func (k Key) public() Key {
	k.Caller = ""
	return k
}

// Store holds answers. It may be used concurrently, needs no closing and has no goroutines.
type Store struct {
	entries *otter.Cache[Key, *Entry]
	changes *changes
	// largest is how many bytes one entry may take.
	largest int64
}

// New returns a store of at most so many bytes, as far as they can be told. It holds nothing when maxBytes is 0 or less.
func New(maxBytes int64) *Store {
	const share = 16
	maxBytes = max(maxBytes, 1)
	return &Store{
		changes: newChanges(),
		largest: min(maxBytes/share, math.MaxUint32),
		entries: otter.Must(&otter.Options[Key, *Entry]{
			MaximumWeight: uint64(maxBytes),
			Weigher: func(k Key, e *Entry) uint32 {
				return uint32(weigh(k, e)) //nolint:gosec // no more than largest
			},
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[Key, *Entry]) time.Duration {
				// Nothing and less would mean forever.
				return max(time.Until(e.Value.span.until()), 1)
			}),
			Clock: clock{},
			// Tidying up on the request that makes it necessary needs no goroutine that somebody has to own.
			Executor: func(tidy func()) { tidy() },
		}),
	}
}

// Now returns a mark to be taken before a request is sent.
func (s *Store) Now() Mark { return s.changes.now() }

// Get returns the caller's own answer, or else the public one, for a request with that header. It returns nil when there
// is none, when a change has made it invalid, or when it varies by a field that this request has otherwise. What it
// returns need not be fresh.
func (s *Store) Get(key Key, header http.Header) *Entry {
	if key.Caller != "" {
		if e := s.find(key, header); e != nil {
			return e
		}
	}
	return s.find(key.public(), header)
}

func (s *Store) find(key Key, header http.Header) *Entry {
	e, ok := s.entries.GetIfPresent(key)
	if !ok || s.Since(e.mark, key.Caller, key.Service) || !e.selection.matches(header) {
		return nil
	}
	return e
}

// Put keeps an answer in place of the one before it, a public one for all callers. It ignores nil, an answer that may be
// from before a change, and one that is not public but has no caller. One that takes more than a sixteenth of the store
// is not kept, and the one before it is forgotten.
func (s *Store) Put(key Key, e *Entry) {
	if e == nil || key.Caller == "" && !e.Public() {
		return
	}
	own := key
	if e.Public() {
		key = key.public()
	}
	if s.Since(e.mark, key.Caller, key.Service) {
		return
	}
	if weigh(key, e) > s.largest {
		s.Forget(own)
		return
	}
	s.entries.Set(key, e)
	if own != key {
		// The caller's own would go on hiding the new one.
		s.entries.Invalidate(own)
	}
}

// Forget drops the caller's own answer and the public one.
func (s *Store) Forget(key Key) {
	s.entries.Invalidate(key)
	s.entries.Invalidate(key.public())
}

// Changed is to be called when a write of the caller has ended, whatever came of it. All that the caller was told or is
// being told by the service becomes invalid, and so does what the service calls public: marks from before are too old.
func (s *Store) Changed(caller, service string) {
	s.changes.add(scope{caller, service}, scope{"", service})
}

// Since says whether what the caller, or with "" any caller, knows of a service may have changed after the mark: whoever
// asks now must not share the answer to a request from before.
func (s *Store) Since(m Mark, caller, service string) bool {
	return s.changes.since(m, scope{caller, service})
}

// Bytes is about how much memory the answers take, including those that are no longer valid and not yet crowded out.
func (s *Store) Bytes() int64 {
	return int64(s.entries.WeightedSize()) //nolint:gosec // bounded by an int64
}

// Entries is about how many answers there are, including those that are no longer valid and not yet crowded out.
func (s *Store) Entries() int { return s.entries.EstimatedSize() }

// weigh is about how many bytes of memory the entry takes under that key.
func weigh(k Key, e *Entry) int64 {
	return e.bytes() + int64(len(k.Caller)+len(k.Service)+len(k.Target))
}

// clock is the time as everybody else sees it, in a bubble of testing/synctest too. It has no ticks, as they would take a
// goroutine: what has expired is hidden at once, and removed when the store is used.
type clock struct{}

func (clock) NowNano() int64 { return time.Now().UnixNano() }

func (clock) Tick(time.Duration) <-chan time.Time { return nil }
