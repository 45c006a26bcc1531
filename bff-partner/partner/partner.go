// Package partner is bff-partner, the BFF of partners.
package partner

import (
	"net/http"

	"bff.internal/shared/platform"
	"bff.internal/shared/web"
)

// Config is all that bff-partner can be told. Its defaults are those of DefaultConfig and of the tags.
type Config struct {
	Platform platform.Config
	Web      web.Config
}

// DefaultConfig holds the defaults that differ from BFF to BFF.
func DefaultConfig() Config {
	return Config{Platform: platform.Config{Addr: ":8083", AdminAddr: "127.0.0.1:9083"}}
}

// New returns bff-partner on the platform, which owns its background work: nothing is left to close.
func New(cfg Config, p *platform.Platform) http.Handler {
	edge := web.New(cfg.Web, p.Telemetry)
	routes(edge)
	return edge
}
