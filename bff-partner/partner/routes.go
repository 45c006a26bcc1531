package partner

import (
	"bff.internal/bff-partner/api"
	"bff.internal/shared/web"
)

// routes is everything that bff-partner answers.
func routes(edge *web.Server) {
	edge.GET("/partner/openapi.yaml", web.Contract(api.Contract))
}
