package stack

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/bff-partner/partner"
	"bff.internal/bff-web/webapp"
	"bff.internal/mockservices/identity"
	"bff.internal/shared/apikey"
	"bff.internal/shared/auth"
	"bff.internal/shared/platform"
	"bff.internal/shared/ratelimit"
	"bff.internal/shared/secret"
	"bff.internal/shared/session"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/web"
)

func secretRedisURL(addr string) secret.String { return secret.New("redis://" + addr) }

// startBFFs starts the three BFFs by their own constructors, each on a platform of its own.
func (s *Stack) startBFFs(ctx context.Context, cfg *Config) error {
	edge := web.Config{
		ExternalURL:    s.external,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		MaxBody:        1 << 20,
	}
	for _, bff := range []struct {
		name, variable, addr, adminAddr string
		build                           func(*platform.Platform) http.Handler
		url, adminURL                   *string
	}{
		{"bff-mobile", "MOBILE", cfg.Mobile, cfg.MobileAdmin, s.mobile(edge, cfg.Upstream), &s.Mobile, &s.MobileAdmin},
		{"bff-web", "WEB", cfg.Web, cfg.WebAdmin, s.web(edge, cfg.Upstream), &s.Web, &s.WebAdmin},
		{"bff-partner", "PARTNER", cfg.Partner, cfg.PartnerAdmin, s.partner(edge, cfg.Upstream, cfg.PartnerLimit), &s.Partner, &s.PartnerAdmin},
	} {
		p, err := platform.Open(ctx, platform.Config{
			Addr: bff.addr, AdminAddr: bff.adminAddr, RedisURL: cfg.RedisURL, MaxBody: edge.MaxBody,
			DrainDelay: cfg.DrainDelay, DrainTimeout: 5 * time.Second, Telemetry: telemetry.Config{LogLevel: cfg.LogLevel},
		}, bff.name, cfg.Log)
		if err != nil {
			return err
		}
		listening, err := p.Listen(ctx)
		if err != nil {
			p.Close()
			return rename(err, bff.variable)
		}
		*bff.url, *bff.adminURL = "http://"+listening.Addr(), "http://"+listening.AdminAddr()
		s.serveBFF(ctx, listening, bff.build(p))
	}
	return nil
}

func (s *Stack) mobile(edge web.Config, policy upstream.Policy) func(*platform.Platform) http.Handler {
	return func(p *platform.Platform) http.Handler {
		return mobile.New(mobile.Config{
			Web:       edge,
			Auth:      auth.Config{Issuer: s.Issuer, InternalURL: s.Identity, Audience: "bff-mobile", Algorithms: []string{"ES256"}},
			Upstream:  policy,
			Users:     upstream.Replicas{target(s.Users)},
			Orders:    upstream.Replicas{target(s.Orders)},
			Analytics: upstream.Replicas{target(s.Analytics)},
		}, p)
	}
}

func (s *Stack) web(edge web.Config, policy upstream.Policy) func(*platform.Platform) http.Handler {
	return func(p *platform.Platform) http.Handler {
		return webapp.New(webapp.Config{
			Web: edge,
			Session: session.Config{
				Issuer: s.Issuer, InternalURL: s.Identity, ClientID: "bff-web", ClientSecret: secret.New(identity.DevWebSecret),
				Scopes: []string{"openid", "profile", "offline_access"},
				Keys:   secret.New(s.sessionKey), Idle: 30 * time.Minute, Lifetime: 12 * time.Hour,
			},
			Upstream:  policy,
			Users:     upstream.Replicas{target(s.Users)},
			Orders:    upstream.Replicas{target(s.Orders)},
			Analytics: upstream.Replicas{target(s.Analytics)},
		}, p)
	}
}

func (s *Stack) partner(edge web.Config, policy upstream.Policy, limit ratelimit.Config) func(*platform.Platform) http.Handler {
	return func(p *platform.Platform) http.Handler {
		return partner.New(partner.Config{
			Web:  edge,
			Keys: apikey.Config{Pepper: secret.New(DevPepper)},
			Own: auth.OwnTokenConfig{
				Issuer: s.Issuer, InternalURL: s.Identity, ClientID: "bff-partner", ClientSecret: secret.New(identity.DevPartnerSecret),
			},
			Limit:     limit,
			Upstream:  policy,
			Users:     upstream.Replicas{target(s.Users)},
			Orders:    upstream.Replicas{target(s.Orders)},
			Analytics: upstream.Replicas{target(s.Analytics)},
		}, p)
	}
}

// serveBFF serves until the stack is closed, and goes on when ctx ends: the edge in front stops first.
func (s *Stack) serveBFF(ctx context.Context, listening *platform.Listening, handler http.Handler) {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- listening.Serve(serving, handler) }()
	s.onClose(func() error {
		stop()
		return <-ended
	})
}

// rename says the variable of the dev stack, where each BFF has its own, in the place of the BFF's.
func rename(err error, prefix string) error {
	busy, ok := errors.AsType[*platform.ListenError](err)
	if !ok {
		return err
	}
	return &platform.ListenError{Variable: prefix + "_" + busy.Variable, Addr: busy.Addr, Err: busy.Err}
}
