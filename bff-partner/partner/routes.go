package partner

import (
	"net/http"

	"bff.internal/bff-partner/api"
	"bff.internal/shared/apikey"
	"bff.internal/shared/auth"
	"bff.internal/shared/ratelimit"
	"bff.internal/shared/web"
)

// The scopes that a key may have.
const scopeDashboard = "dashboard:read"

// Scopes lists what keys can be made for.
func Scopes() []string { return []string{scopeDashboard} }

// entrance is what a request of a partner has to pass.
type entrance struct {
	keys  *apikey.Guard
	limit *ratelimit.Limiter
	own   *auth.OwnToken
}

// with returns the middleware of a route: a key with the scope, the partner's limit, which all of its keys share, and
// then our own token for the services.
func (e entrance) with(scope string) []web.Middleware {
	return []web.Middleware{e.keys.Require(scope, web.Fail), e.limit.Middleware(partnerOf, web.Fail), e.own.OnBehalf(web.Fail)}
}

// partnerOf is whom a request counts for.
func partnerOf(r *http.Request) string { return callingPartner(r.Context()) }

// routes is everything that bff-partner answers.
func (s *service) routes(edge *web.Server, in entrance) {
	edge.GET("/partner/v1/dashboard", s.dashboard, in.with(scopeDashboard)...)
	edge.GET("/partner/openapi.yaml", web.Contract(api.Contract))
}
