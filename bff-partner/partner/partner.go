// Package partner is bff-partner, the BFF of partners: programs of other companies, each with an API key and a limit,
// and answers that keep their shape within a version.
package partner

import (
	"net/http"

	"bff.internal/shared/apikey"
	"bff.internal/shared/auth"
	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/clients/users"
	"bff.internal/shared/platform"
	"bff.internal/shared/ratelimit"
	"bff.internal/shared/upstream"
	"bff.internal/shared/web"
)

// Config is all that bff-partner can be told. Its defaults are those of DefaultConfig and of the tags.
type Config struct {
	Platform platform.Config
	Web      web.Config
	Keys     apikey.Config
	Limit    ratelimit.Config // for each partner
	Own      auth.OwnTokenConfig

	Upstream  upstream.Policy
	Users     upstream.Replicas `env:"USERS_URLS,required" help:"base URLs of the User Service's replicas, comma separated, such as http://users:9001"`
	Orders    upstream.Replicas `env:"ORDERS_URLS,required" help:"base URLs of the Order Service's replicas, likewise"`
	Analytics upstream.Replicas `env:"ANALYTICS_URLS,required" help:"base URLs of the Analytics Service's replicas, likewise"`
}

// DefaultConfig holds the defaults that differ from BFF to BFF.
func DefaultConfig() Config {
	return Config{
		Platform: platform.Config{Addr: ":8083", AdminAddr: "127.0.0.1:9083"},
		Own:      auth.OwnTokenConfig{ClientID: "bff-partner"},
	}
}

// service is what the handlers work with.
type service struct {
	users     *users.Client
	orders    *orders.Client
	analytics *analytics.Client
}

// New returns bff-partner on the platform, which owns its background work: nothing is left to close.
func New(cfg Config, p *platform.Platform) http.Handler {
	services := upstream.NewServices(cfg.Upstream, p.Transport, p.Telemetry, p.Go)
	s := &service{
		users:     users.New(services.Client("users", cfg.Users)),
		orders:    orders.New(services.Client("orders", cfg.Orders)),
		analytics: analytics.New(services.Client("analytics", cfg.Analytics)),
	}
	own := auth.NewOwnToken(cfg.Own, p.Transport, p.Telemetry.Log)
	p.Go("our own access token", own.Run)
	p.WarmUp(own.Tried)
	replicas := ratelimit.NewReplicas(p.Redis, "bff-partner", p.Telemetry.Log)
	p.Go("count of replicas", replicas.Run)

	p.Admin("/upstreams", "every service and replica: what is wrong, and since when", services)

	edge := web.New(cfg.Web, p.Telemetry)
	s.routes(edge, entrance{
		keys: apikey.NewGuard(cfg.Keys, apikey.NewStore(p.Redis), "bff-partner"),
		limit: ratelimit.New(ratelimit.Options{
			Name: "partner", Limit: cfg.Limit.Limit(), Redis: p.Redis, Replicas: replicas.Count,
			Log: p.Telemetry.Log, Metrics: p.Telemetry.Metrics,
		}),
		own: own,
	})
	return edge
}
