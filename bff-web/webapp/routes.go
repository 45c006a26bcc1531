package webapp

import (
	"bff.internal/bff-web/api"
	"bff.internal/shared/web"
)

// routes is everything that bff-web answers.
func routes(edge *web.Server) {
	edge.GET("/web/openapi.yaml", web.Contract(api.Contract))
}
