// Package bounded keeps what a stand-in remembers from growing without end.
package bounded

// Map holds at most a fixed number of entries: one too many, and the entry that was added first is forgotten.
// It is not safe for concurrent use.
type Map[K comparable, V any] struct {
	limit   int
	entries map[K]V
	order   []K // a ring once it is full
	oldest  int // where in the ring the oldest key is
}

// NewMap is an empty map for at most limit entries; limit is at least one.
func NewMap[K comparable, V any](limit int) *Map[K, V] {
	return &Map[K, V]{limit: limit, entries: make(map[K]V)}
}

// Get is the value under key, and whether there is one.
func (m *Map[K, V]) Get(key K) (V, bool) {
	value, ok := m.entries[key]
	return value, ok
}

// Put sets the value under key. Setting it again does not make the entry younger.
func (m *Map[K, V]) Put(key K, value V) {
	if _, ok := m.entries[key]; !ok {
		m.admit(key)
	}
	m.entries[key] = value
}

func (m *Map[K, V]) admit(key K) {
	if len(m.order) < m.limit {
		m.order = append(m.order, key)
		return
	}
	delete(m.entries, m.order[m.oldest])
	m.order[m.oldest] = key
	m.oldest = (m.oldest + 1) % m.limit
}
