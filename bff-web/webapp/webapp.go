// Package webapp is bff-web, the BFF of the web application: a cookie in the browser, the tokens here, one answer for a
// whole page, and a socket for what changes.
package webapp

import (
	"log/slog"
	"net/http"

	"bff.internal/shared/clients/analytics"
	"bff.internal/shared/clients/orders"
	"bff.internal/shared/clients/users"
	"bff.internal/shared/platform"
	"bff.internal/shared/realtime"
	"bff.internal/shared/session"
	"bff.internal/shared/upstream"
	"bff.internal/shared/web"
)

// Config is all that bff-web can be told. Its defaults are those of DefaultConfig and of the tags.
type Config struct {
	Platform platform.Config
	Web      web.Config
	Session  session.Config

	Upstream  upstream.Policy
	Users     upstream.Replicas `env:"USERS_URLS,required" help:"base URLs of the User Service's replicas, comma separated, such as http://users:9001"`
	Orders    upstream.Replicas `env:"ORDERS_URLS,required" help:"base URLs of the Order Service's replicas, likewise"`
	Analytics upstream.Replicas `env:"ANALYTICS_URLS,required" help:"base URLs of the Analytics Service's replicas, likewise"`
}

// DefaultConfig holds the defaults that differ from BFF to BFF.
func DefaultConfig() Config {
	return Config{
		Platform: platform.Config{Addr: ":8082", AdminAddr: "127.0.0.1:9082"},
		Session:  session.Config{ClientID: "bff-web"},
	}
}

// service is what the handlers work with.
type service struct {
	users     *users.Client
	orders    *orders.Client
	analytics *analytics.Client
	sessions  *session.Manager
	live      *realtime.Hub
	changes   realtime.Consumer // of orders
	log       *slog.Logger
}

// New returns bff-web on the platform, which owns its background work: nothing is left to close.
func New(cfg Config, p *platform.Platform) http.Handler {
	services := upstream.NewServices(cfg.Upstream, p.Transport, p.Telemetry, p.Go)
	s := &service{
		users:     users.New(services.Client("users", cfg.Users)),
		orders:    orders.New(services.Client("orders", cfg.Orders)),
		analytics: analytics.New(services.Client("analytics", cfg.Analytics)),
		changes:   newChanges(p),
		log:       p.Telemetry.Log,
	}
	s.sessions = session.New(cfg.Session, session.App{
		Name: "bff-web", External: cfg.Web.ExternalURL, Home: "/web/", Callback: "/web/callback", Fail: web.Fail, Ended: s.hangUp,
	}, session.Deps{Redis: p.Redis, Transport: p.Transport, Log: p.Telemetry.Log})
	p.Go("session tokens", s.sessions.Run)
	s.live = newLive(cfg, s.sessions, p)
	p.Go("live updates", s.live.Run)
	p.Go("changes of orders", s.followOrders)

	p.Admin("/upstreams", "every service and replica: what is wrong, and since when", services)

	edge := web.New(cfg.Web, p.Telemetry)
	s.routes(edge, cfg)
	return edge
}
