package orders

import (
	"bytes"
	"net/http"
	"slices"
	"sync"
	"time"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/bounded"
)

const (
	maxWriters = 10_000 // owners whose writes are remembered
	maxReplies = 10_000 // idempotency keys that are remembered
	maxPlaced  = 100    // orders placed by one owner that are remembered
)

// books is everybody's orders. Owners are named by their keys. Safe for concurrent use.
type books struct {
	today time.Time

	mu      sync.Mutex
	written *bounded.Map[string, *writes]
	replies *bounded.Map[replyKey, reply]
}

// writes is what one owner did.
type writes struct {
	placed    []order         // oldest first
	cancelled map[string]bool // by order id
}

// replyKey is the scope of an idempotency key: there is one route that takes one.
type replyKey struct {
	whose, key string
}

// reply is what a request with an idempotency key was and how it ended.
type reply struct {
	request []byte // a digest
	order   order
}

func newBooks(today time.Time) *books {
	return &books{
		today:   today,
		written: bounded.NewMap[string, *writes](maxWriters),
		replies: bounded.NewMap[replyKey, reply](maxReplies),
	}
}

// all is the orders of an owner, newest first.
func (b *books) all(whose string) []order {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.collect(whose)
}

// find is one order of an owner.
func (b *books) find(whose, id string) (order, bool) {
	for _, order := range b.all(whose) {
		if order.ID == id {
			return order, true
		}
	}
	return order{}, false
}

// cancel cancels an order of an owner and returns it as it is then. The error is an [answer.Problem]: 404 when there
// is no such order, 409 when its status does not allow it.
func (b *books) cancel(whose, id string) (order, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.collect(whose)
	at := slices.IndexFunc(all, func(o order) bool { return o.ID == id })
	if at < 0 {
		return order{}, unknown()
	}
	if !all[at].Status.cancellable() {
		return order{}, answer.NewProblem(http.StatusConflict, "not_cancellable",
			"an order that is "+string(all[at].Status)+" cannot be cancelled")
	}
	b.writes(whose).cancelled[id] = true
	all[at].Status = cancelled
	return all[at], nil
}

// outcome is what became of an order that was to be placed.
type outcome int

const (
	added    outcome = iota
	repeated         // the same request came before
	refused          // another request came with that key before
)

// place adds an order of an owner. With a key that was used before nothing is added: for the same request the order
// of then is returned. An empty key is none.
func (b *books) place(whose, key string, request []byte, placed order) (order, outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	scope := replyKey{whose, key}
	if before, ok := b.replies.Get(scope); ok && key != "" {
		if !bytes.Equal(before.request, request) {
			return order{}, refused
		}
		return before.order, repeated
	}
	if key != "" {
		b.replies.Put(scope, reply{request, placed})
	}
	w := b.writes(whose)
	w.placed = append(w.placed, placed)
	if len(w.placed) > maxPlaced {
		delete(w.cancelled, w.placed[0].ID)
		w.placed = slices.Delete(w.placed, 0, 1)
	}
	return placed, added
}

// collect is all without the lock, which the caller holds.
func (b *books) collect(whose string) []order {
	orders := derived(whose, b.today)
	if w, ok := b.written.Get(whose); ok {
		orders = append(orders, w.placed...)
		for i := range orders {
			if w.cancelled[orders[i].ID] {
				orders[i].Status = cancelled
			}
		}
	}
	newest(orders)
	return orders
}

// writes is what the owner did so far. The caller holds the lock.
func (b *books) writes(whose string) *writes {
	w, ok := b.written.Get(whose)
	if !ok {
		w = &writes{cancelled: make(map[string]bool)}
		b.written.Put(whose, w)
	}
	return w
}
