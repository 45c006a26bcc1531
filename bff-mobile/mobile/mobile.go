// Package mobile is bff-mobile: small answers for one screen each, for callers with a bearer token.
package mobile

import (
	"net/http"

	"bff.internal/shared/auth"
	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/clients/users"
	"bff.internal/shared/platform"
	"bff.internal/shared/upstream"
	"bff.internal/shared/web"
)

// Config is all that bff-mobile can be told. Its defaults are those of DefaultConfig and of the tags.
type Config struct {
	Platform platform.Config
	Web      web.Config
	Auth     auth.Config

	Upstream  upstream.Policy
	Users     upstream.Replicas `env:"USERS_URLS,required" help:"base URLs of the User Service's replicas, comma separated, such as http://users:9001"`
	Orders    upstream.Replicas `env:"ORDERS_URLS,required" help:"base URLs of the Order Service's replicas, likewise"`
	Analytics upstream.Replicas `env:"ANALYTICS_URLS,required" help:"base URLs of the Analytics Service's replicas, likewise"`
}

// DefaultConfig holds the defaults that differ from BFF to BFF.
func DefaultConfig() Config {
	return Config{
		Platform: platform.Config{Addr: ":8081", AdminAddr: "127.0.0.1:9081"},
		Auth:     auth.Config{Audience: "bff-mobile"},
	}
}

// service is what the handlers work with.
type service struct {
	users     *users.Client
	orders    *orders.Client
	analytics *analytics.Client
}

// New returns bff-mobile on the platform, which owns its background work: nothing is left to close.
func New(cfg Config, p *platform.Platform) http.Handler {
	services := upstream.NewServices(cfg.Upstream, p.Transport, p.Telemetry, p.Go)
	s := &service{
		users:     users.New(services.Client("users", cfg.Users)),
		orders:    orders.New(services.Client("orders", cfg.Orders)),
		analytics: analytics.New(services.Client("analytics", cfg.Analytics)),
	}
	tokens := auth.NewVerifier(cfg.Auth, p.Transport, p.Telemetry.Log)
	p.Go("keys of the issuer", tokens.Refresh)

	p.Admin("/upstreams", "every service and replica: what is wrong, and since when", services)

	edge := web.New(cfg.Web, p.Telemetry)
	s.routes(edge, tokens)
	return edge
}
