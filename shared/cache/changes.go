package cache

import (
	"hash/maphash"
	"sync"
)

// maxChanges bounds a generation of remembered changes, and with it their memory to less than 1 MiB.
const maxChanges = 8 << 10

// Mark is a point in the sequence of changes that a store was told of. Marks of different stores have nothing to do with
// each other.
type Mark uint64

// changes remembers the last change of every scope. Two generations of scopes are kept; what was only in an older one
// counts as changed, so that a bounded memory never forgets a change that matters.
type changes struct {
	seed maphash.Seed

	mu   sync.RWMutex
	last Mark
	// turned is the last change of the earlier generation, and floor the last one that is forgotten.
	turned, floor Mark
	// A scope is known by its hash, as names have no bound. Two that share one only cost a hit.
	recent, earlier map[uint64]Mark
}

// scope is what a change makes invalid: all that one caller knows of a service, or with no caller, what all know of it.
type scope struct{ caller, service string }

func newChanges() *changes {
	return &changes{seed: maphash.MakeSeed(), recent: map[uint64]Mark{}, earlier: map[uint64]Mark{}}
}

func (c *changes) now() Mark {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.last
}

// add notes one change of all the scopes.
func (c *changes) add(scopes ...scope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	for _, s := range scopes {
		c.recent[maphash.Comparable(c.seed, s)] = c.last
	}
	if len(c.recent) < maxChanges {
		return
	}
	c.floor, c.turned = c.turned, c.last
	clear(c.earlier)
	c.recent, c.earlier = c.earlier, c.recent
}

// since says whether the scope may have changed after the mark.
func (c *changes) since(m Mark, s scope) bool {
	hash := maphash.Comparable(c.seed, s)
	c.mu.RLock()
	defer c.mu.RUnlock()
	return m < c.floor || m < c.recent[hash] || m < c.earlier[hash]
}
