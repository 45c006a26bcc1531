// Package orders stands in for a company's Order Service. Everybody has eight active orders and some past ones, derived
// from who they are; what is placed and cancelled on top of that is kept in memory.
package orders

import (
	"context"
	"net/http"
	"time"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/owner"
	"bff.internal/mockservices/internal/standin"
	"bff.internal/mockservices/internal/strict"
	"bff.internal/mockservices/token"
)

const cacheControl = "private, max-age=0, stale-if-error=60"

type service struct {
	books   *books
	changes *Changes
}

// Config is what the Order Service works with.
type Config struct {
	// Verifier knows whose tokens count.
	Verifier *token.Verifier
	// Today is the day before which derived orders lie, by its UTC day, however long the service runs, so that answers
	// stay what they were; zero means the day of the call.
	Today time.Time
	// Changes is told about every change of a user's order; nil is nobody.
	Changes *Changes
}

// New is the Order Service: an [http.Handler] that needs no closing. Writes are kept in memory: those of the 10,000
// owners who began to write last, with the last 100 orders of each, and the answers to the last 10,000 idempotency keys.
//
// A single order is the caller's own; the client that acts for partners says whose with partner=, as in a list.
func New(cfg Config) http.Handler {
	today := cfg.Today
	if today.IsZero() {
		today = time.Now()
	}
	verifier := cfg.Verifier
	s := service{books: newBooks(today.UTC().Truncate(24 * time.Hour)), changes: cfg.Changes}
	return standin.New(standin.Table{
		"/orders": {
			http.MethodGet:  verifier.Require(s.list),
			http.MethodPost: verifier.Require(s.place),
		},
		"/orders/{id}":        {http.MethodGet: verifier.Require(s.order)},
		"/orders/{id}/cancel": {http.MethodPost: verifier.Require(s.cancel)},
	}, nil)
}

// order is GET /orders/{id}.
func (s service) order(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	whose, err := owned(r, caller)
	if err != nil {
		return err
	}
	order, ok := s.books.find(whose.Key(), r.PathValue("id"))
	if !ok {
		return unknown()
	}
	answer.Cached(w, r, cacheControl, order)
	return nil
}

// cancel is POST /orders/{id}/cancel: for orders that have not left the house. It answers the order as cancelled.
func (s service) cancel(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	whose, err := owned(r, caller)
	if err != nil {
		return err
	}
	order, err := s.books.cancel(whose.Key(), r.PathValue("id"))
	if err != nil {
		return err
	}
	s.tell(r.Context(), whose, order)
	answer.JSON(w, http.StatusOK, order)
	return nil
}

// tell makes the order of a user known to whoever listens.
func (s service) tell(ctx context.Context, whose owner.Owner, now order) {
	if whose.User != "" {
		s.changes.tell(ctx, whose.User, now)
	}
}

// owned is whose a single order is said to be.
func owned(r *http.Request, caller token.Caller) (owner.Owner, error) {
	query, err := strict.Query(r, "user", "partner")
	if err != nil {
		return owner.Owner{}, err
	}
	return owner.Asked(query, caller)
}

// unknown is the problem of an order that is not there or is somebody else's, which look the same.
func unknown() error {
	return answer.NewProblem(http.StatusNotFound, "not_found", "there is no such order")
}
