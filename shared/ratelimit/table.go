package ratelimit

import (
	"container/list"
	"sync"
	"time"
)

// maxCallers bounds the memory of a table, to about 3 MB.
const maxCallers = 10_000

// table holds the buckets of this process.
type table struct {
	mu      sync.Mutex
	callers map[callerID]*list.Element
	recent  *list.List // of *caller, who asked last comes first
}

type caller struct {
	bucket

	id callerID
}

func newTable() *table {
	return &table{callers: make(map[callerID]*list.Element), recent: list.New()}
}

// take takes a request from the caller's bucket, if there is one, and returns what is left in it.
func (t *table) take(id callerID, s bucketSize, now time.Time) (allowed bool, level int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(s, now)
	element := t.callers[id]
	if element == nil {
		if len(t.callers) >= maxCallers {
			t.remove(t.recent.Back())
		}
		element = t.recent.PushFront(&caller{id: id, bucket: bucket{level: s.capacity, unit: s.unit, at: now}})
		t.callers[id] = element
	}
	t.recent.MoveToFront(element)
	c := of(element)
	c.fill(s, now)
	return c.take(s), c.level
}

// settle returns how many requests the caller owes, who from now on does not.
func (t *table) settle(id callerID, s bucketSize, now time.Time) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(s, now)
	element := t.callers[id]
	if element == nil {
		return 0
	}
	c := of(element)
	c.fill(s, now)
	owed := ceil(c.owed, s.unit)
	c.owed = 0
	return owed
}

// owe takes back what settle returned and nobody was charged with for sure. A caller who is forgotten owes nothing.
func (t *table) owe(id callerID, requests int64, s bucketSize, now time.Time) {
	if requests == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	element := t.callers[id]
	if element == nil {
		return
	}
	c := of(element)
	c.fill(s, now)
	c.owed = min(c.owed+requests*s.unit, s.capacity-c.level)
}

// forget drops buckets that are full, as nobody's is: two at a time, which is more than can be added.
func (t *table) forget(s bucketSize, now time.Time) {
	for range 2 {
		oldest := t.recent.Back()
		if oldest == nil {
			return
		}
		c := of(oldest)
		if c.fill(s, now); c.level < s.capacity {
			return
		}
		t.remove(oldest)
	}
}

func (t *table) remove(element *list.Element) {
	delete(t.callers, of(element).id)
	t.recent.Remove(element)
}

func of(element *list.Element) *caller { return element.Value.(*caller) } //nolint:forcetypeassert // nothing else is in there
