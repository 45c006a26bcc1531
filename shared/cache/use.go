package cache

import (
	"context"
	"sync"
	"time"
)

// Use says where an answer came from and for how long it is good.
type Use struct {
	Status Status
	// Explicit says that the service said for how long its answer is fresh, and Remaining what is left of that: less than 0
	// for one that is stale.
	Explicit  bool
	Remaining time.Duration
	// Forbidden says that nobody may store the answer.
	Forbidden bool
	// Age is how long ago a stored answer was made; 0 for one that comes from the service.
	Age time.Duration
}

// Status is where an answer came from. Of several answers, the lowest is the status of all.
type Status int

// The states of an answer.
const (
	// Stale: from the store, and no longer fresh.
	Stale Status = iota + 1
	// Miss: from the service.
	Miss
	// Collapsed: from the service, by a call that somebody else had made.
	Collapsed
	// Revalidated: from the store, and the service said that it is still good.
	Revalidated
	// Hit: from the store, and fresh.
	Hit
)

// String is the status in one word, for metrics and logs; "" when there is none.
func (s Status) String() string {
	return [...]string{"", "stale", "miss", "collapsed", "revalidated", "hit"}[s]
}

// with is the use of two answers that one value is made of.
func (u Use) with(other Use) Use {
	return Use{
		Status:    min(u.Status, other.Status),
		Explicit:  u.Explicit && other.Explicit,
		Remaining: min(u.Remaining, other.Remaining),
		Forbidden: u.Forbidden || other.Forbidden,
		Age:       max(u.Age, other.Age),
	}
}

// Notes collects the uses of the answers that a value is made of, for one context. It may be used concurrently; a nil
// Notes takes everything and keeps nothing.
type Notes struct {
	context context.Context //nolint:containedctx // it is what WithNotes returns, without another allocation
	mu      sync.Mutex
	use     Use
}

// Add notes one more answer.
func (n *Notes) Add(u Use) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.use.Status != 0 {
		u = n.use.with(u)
	}
	n.use = u
}

// Use is that of all answers together; its Status is 0 when there was none.
func (n *Notes) Use() Use {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.use
}

type notesKey struct{}

// WithNotes returns a context whose answers are noted. It can be called once for each Notes.
func WithNotes(ctx context.Context, n *Notes) context.Context {
	n.context = ctx
	return noting{n}
}

// NotesFrom returns the notes that the context carries, or nil.
func NotesFrom(ctx context.Context) *Notes {
	n, _ := ctx.Value(notesKey{}).(*Notes)
	return n
}

// noting is a context that carries notes.
type noting struct{ *Notes }

func (c noting) Deadline() (time.Time, bool) { return c.context.Deadline() }
func (c noting) Done() <-chan struct{}       { return c.context.Done() }
func (c noting) Err() error                  { return c.context.Err() }

// Value also finds the notes.
func (c noting) Value(key any) any {
	if key == (notesKey{}) {
		return c.Notes
	}
	return c.context.Value(key)
}
