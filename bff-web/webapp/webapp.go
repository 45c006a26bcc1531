// Package webapp is bff-web, the BFF of the web application.
package webapp

import (
	"net/http"

	"bff.internal/shared/platform"
	"bff.internal/shared/web"
)

// Config is all that bff-web can be told. Its defaults are those of DefaultConfig and of the tags.
type Config struct {
	Platform platform.Config
	Web      web.Config
}

// DefaultConfig holds the defaults that differ from BFF to BFF.
func DefaultConfig() Config {
	return Config{Platform: platform.Config{Addr: ":8082", AdminAddr: "127.0.0.1:9082"}}
}

// New returns bff-web on the platform, which owns its background work: nothing is left to close.
func New(cfg Config, p *platform.Platform) http.Handler {
	edge := web.New(cfg.Web, p.Telemetry)
	routes(edge)
	return edge
}
