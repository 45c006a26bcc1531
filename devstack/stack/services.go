package stack

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"bff.internal/mockservices/analytics"
	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/orders"
	"bff.internal/mockservices/serving"
	"bff.internal/mockservices/token"
	"bff.internal/mockservices/users"
)

// startServices starts the stand-ins. Identity comes first, for its port is part of the issuer's name.
func (s *Stack) startServices(_ context.Context, cfg *Config) error {
	if err := s.startIdentity(cfg); err != nil {
		return err
	}
	changes, err := orders.OpenChanges(cfg.RedisURL.Reveal(), s.log)
	if err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	s.onClose(changes.Close)
	verifier := token.NewVerifier(token.Issuer{ID: s.Issuer, URL: s.Identity})
	orderService := orders.New(orders.Config{Verifier: verifier, Changes: changes})
	for url, service := range map[*string]serving.Service{
		&s.Users:     {Name: "users", Address: cfg.Users, Variable: "USERS_ADDR", Handler: users.New(verifier)},
		&s.Orders:    {Name: "orders", Address: cfg.Orders, Variable: "ORDERS_ADDR", Handler: orderService},
		&s.Analytics: {Name: "analytics", Address: cfg.Analytics, Variable: "ANALYTICS_ADDR", Handler: analytics.New(verifier, time.Time{})},
	} {
		server, err := s.serve(service)
		if err != nil {
			return err
		}
		*url = server
	}
	return nil
}

// startIdentity names the issuer by localhost, as a browser does.
func (s *Stack) startIdentity(cfg *Config) error {
	service := serving.Service{Name: "identity", Address: cfg.Identity, Variable: "IDENTITY_ADDR"}
	listener, err := serving.Listen(service)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err == nil {
		s.Issuer = "http://" + net.JoinHostPort(cmp.Or(cfg.IssuerHost, "localhost"), port)
		s.identity, err = identity.New(identity.Config{
			Issuer:              s.Issuer,
			PartnerSecret:       identity.DevPartnerSecret,
			WebURL:              s.external.String(),
			AccessTokenLifetime: cfg.AccessTokenLifetime,
		})
	}
	if err != nil {
		_ = listener.Close()
		return err
	}
	service.Listener, service.Handler = listener, s.identity
	s.Identity, err = s.serve(service)
	return err
}
