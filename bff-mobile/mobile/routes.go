package mobile

import (
	"bff.internal/bff-mobile/api"
	"bff.internal/shared/auth"
	"bff.internal/shared/web"
)

// routes is everything that bff-mobile answers.
func (s *service) routes(edge *web.Server, tokens *auth.Verifier) {
	bearer := tokens.Bearer(web.Fail)

	edge.GET("/mobile/dashboard", s.dashboard, bearer)
	edge.GET("/mobile/openapi.yaml", web.Contract(api.Contract))
}
