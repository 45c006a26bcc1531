// Command naive is the BFFs as an afternoon builds them, for comparison: "naive bff-mobile" is bff-mobile with the same
// environment, routes, deadlines and answers, but all that it knows of failure is this. The replicas of a service take
// turns by one counter. A call that fails or is answered 5xx is tried again at once, up to three times in all, whatever
// its method. Each service has a circuit breaker with the settings that its library has by default: it opens after six
// failures in a row, of callers who left as well, and stays open for a minute. Nothing bounds what is in flight.
package main

import (
	"context"
	"errors"
	"net/http"
	"os"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/bff-partner/partner"
	"bff.internal/bff-web/webapp"
	"bff.internal/shared/platform"
	"bff.internal/shared/upstream"
)

func main() {
	var none struct{}
	forMobile, forWeb, forPartner := mobile.DefaultConfig(), webapp.DefaultConfig(), partner.DefaultConfig()
	platform.Main("naive", &none, func(context.Context) error { return errors.New("say which: bff-mobile, bff-web or bff-partner") },
		platform.Command("bff-mobile", "the mobile BFF, naively", &forMobile, func(ctx context.Context) error {
			cfg := forMobile
			cfg.Upstream.Without, cfg.Web.Overload.Off = everything, true
			return serve(ctx, "bff-mobile", cfg.Platform, newTransport(cfg.Users, cfg.Orders, cfg.Analytics),
				func(p *platform.Platform) http.Handler { return mobile.New(cfg, p) })
		}),
		platform.Command("bff-web", "the web BFF, naively", &forWeb, func(ctx context.Context) error {
			cfg := forWeb
			cfg.Upstream.Without, cfg.Web.Overload.Off = everything, true
			return serve(ctx, "bff-web", cfg.Platform, newTransport(cfg.Users, cfg.Orders, cfg.Analytics),
				func(p *platform.Platform) http.Handler { return webapp.New(cfg, p) })
		}),
		platform.Command("bff-partner", "the partner BFF, naively", &forPartner, func(ctx context.Context) error {
			cfg := forPartner
			cfg.Upstream.Without, cfg.Web.Overload.Off = everything, true
			return serve(ctx, "bff-partner", cfg.Platform, newTransport(cfg.Users, cfg.Orders, cfg.Analytics),
				func(p *platform.Platform) http.Handler { return partner.New(cfg, p) })
		}))
}

// everything is each layer that can be left out.
var everything = upstream.Layers{Cache: true, Coalesce: true, Shed: true, Retry: true, Hedge: true, Eject: true, Break: true} //nolint:gochecknoglobals // read-only

// serve serves a BFF whose calls take the transport.
func serve(ctx context.Context, name string, cfg platform.Config, t *transport, build func(*platform.Platform) http.Handler) error {
	p, err := platform.Open(ctx, cfg, name, os.Stdout)
	if err != nil {
		return err
	}
	p.Transport = t
	return p.Serve(ctx, build(p))
}
