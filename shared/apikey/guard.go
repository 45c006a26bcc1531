package apikey

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"bff.internal/shared/auth"
	"bff.internal/shared/budget"
	"bff.internal/shared/telemetry"
)

// Guard lets requests with a key pass.
type Guard struct {
	store   *Store
	peppers peppers
	realm   string
}

// NewGuard returns a guard of what the realm names, such as the BFF. It panics if cfg does not pass its Validate.
func NewGuard(cfg Config, store *Store, realm string) *Guard {
	p, err := newPeppers(cfg.Pepper)
	if err != nil {
		panic("apikey: " + err.Error())
	}
	return &Guard{store: store, peppers: p, realm: realm}
}

// Require returns a middleware that lets requests pass whose key has the scope: exactly one key, as Authorization:
// Bearer or as X-API-Key, and nothing like a key in the URL. The request's context then carries the auth.Caller, whose
// ID is the partner, and its telemetry.Event knows who is calling. Any other request goes to fail, which has to answer
// it: 400, 401, 403, or 503 when Redis does not say whose key it is.
func (g *Guard) Require(scope string, fail func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key, err := g.presented(r)
			if err != nil {
				fail(w, r, err)
				return
			}
			r = r.WithContext(budget.Share(r.Context(), budget.Redis)) // with the limit, which comes next
			found, err := g.verify(r.Context(), key)
			if err != nil {
				fail(w, r, err)
				return
			}
			telemetry.EventFrom(r.Context()).SetCaller(telemetry.Caller{Kind: auth.KindPartner, ID: found.Partner})
			if !slices.Contains(found.Scopes, scope) {
				fail(w, r, g.forbidden(scope))
				return
			}
			next.ServeHTTP(w, r.WithContext(auth.WithCaller(r.Context(), auth.Caller{
				Kind: auth.KindPartner, ID: found.Partner, ClientID: found.ID, Scopes: found.Scopes, Expires: found.Expires,
			})))
		})
	}
}

// verify returns what the key is, if it is good now.
func (g *Guard) verify(request context.Context, key string) (Info, error) {
	id, ok := parse(key)
	if !ok {
		return Info{}, g.refused("it is incomplete or mistyped")
	}
	ctx, cancel := budget.Within(request, budget.Redis)
	defer cancel()
	r, err := g.store.find(ctx, id)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Info{}, unavailable(request, err)
	}
	now := time.Now()
	switch known := g.peppers.match(r.mac, key); { // of an unknown id too, which costs the same
	case err != nil, !known:
		return Info{}, g.refused("nobody has this key").Because(err)
	case r.Status(now) != "active":
		return Info{}, g.refused("it is " + r.Status(now)) // only its owner gets to know
	}
	g.store.used(ctx, r, now)
	return r.Info, nil
}
