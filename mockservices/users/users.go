// Package users stands in for a company's User Service. Every id is a user, and every id is a partner: what they are
// called and where they live is derived from the id.
package users

import (
	"net/http"
	"sync"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/bounded"
	"bff.internal/mockservices/internal/owner"
	"bff.internal/mockservices/internal/standin"
	"bff.internal/mockservices/internal/strict"
	"bff.internal/mockservices/token"
)

const cacheControl = "private, max-age=30, stale-if-error=300"

// maxChanged is how many users' changes are remembered; beyond it, who changed something first is as derived again.
const maxChanged = 10_000

type service struct {
	mu      sync.Mutex
	changes *bounded.Map[string, change] // by user id
}

// New is the User Service: an [http.Handler] that needs no closing. Changes are kept in memory, for the 10,000 users
// who changed something last.
func New(verifier *token.Verifier) http.Handler {
	s := &service{changes: bounded.NewMap[string, change](maxChanged)}
	return standin.New(standin.Table{
		"/users/me": {
			http.MethodGet:   verifier.Require(s.me),
			http.MethodPatch: verifier.Require(s.changeMe),
		},
		"/users/{id}":    {http.MethodGet: verifier.Require(s.user)},
		"/partners/{id}": {http.MethodGet: verifier.Require(s.partner)},
	}, nil)
}

// me is GET /users/me.
func (s *service) me(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	id, ok := caller.User()
	if !ok {
		return owner.Forbidden("a client that acts for itself is no user")
	}
	answer.Cached(w, r, cacheControl, s.find(id))
	return nil
}

// user is GET /users/{id}: the caller's own id only. No id is unknown, so nothing can be learned from the refusal.
func (s *service) user(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	id, ok := caller.User()
	if !ok || id != r.PathValue("id") {
		return owner.Forbidden("a user's data is for that user only")
	}
	answer.Cached(w, r, cacheControl, s.find(id))
	return nil
}

// changeMe is PATCH /users/me: any of name, phone and locale. It answers the user as changed.
func (s *service) changeMe(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	id, ok := caller.User()
	if !ok {
		return owner.Forbidden("a client that acts for itself is no user")
	}
	content, err := strict.Body(r, "application/json")
	if err != nil {
		return err
	}
	var asked change
	if err := strict.JSON(content, &asked); err != nil {
		return err
	}
	if err := asked.check(); err != nil {
		return err
	}
	s.mu.Lock()
	before, _ := s.changes.Get(id)
	s.changes.Put(id, before.with(asked))
	s.mu.Unlock()
	answer.JSON(w, http.StatusOK, s.find(id))
	return nil
}

// partner is GET /partners/{id}: for the client that acts for partners only.
func (s *service) partner(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	if caller.Client != token.PartnerClient {
		return owner.Forbidden("a partner's data is for the client " + token.PartnerClient + " only")
	}
	id := r.PathValue("id")
	if !owner.ValidID(id) {
		return answer.NewProblem(http.StatusNotFound, "not_found", "no partner has such an id")
	}
	answer.Cached(w, r, cacheControl, newPartner(id))
	return nil
}

func (s *service) find(id string) user {
	s.mu.Lock()
	changed, _ := s.changes.Get(id)
	s.mu.Unlock()
	return changed.apply(newUser(id))
}
