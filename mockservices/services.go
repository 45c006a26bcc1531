package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"bff.internal/mockservices/analytics"
	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/orders"
	"bff.internal/mockservices/serving"
	"bff.internal/mockservices/token"
	"bff.internal/mockservices/users"
)

// service is a stand-in that can be named on the command line.
type service struct {
	name     string
	about    string
	variable string // changes the address
	address  string // by default
	build    func(cfg config, verifier *token.Verifier) (http.Handler, error)
}

// services is all stand-ins, in the order in which they start.
func services() []service {
	return []service{
		{
			"identity", "OpenID provider: login, refresh, sign-out, client credentials", "IDENTITY_ADDR", "127.0.0.1:9000",
			func(cfg config, _ *token.Verifier) (http.Handler, error) {
				return identity.New(identity.Config{
					Issuer:        cfg.issuer,
					PartnerSecret: cfg.partnerSecret,
					WebSecret:     cfg.webSecret,
					WebURL:        cfg.externalURL,
					Password:      cfg.password,
				})
			},
		},
		{
			"users", "User Service: /users, /partners", "USERS_ADDR", "127.0.0.1:9001",
			func(_ config, verifier *token.Verifier) (http.Handler, error) { return users.New(verifier), nil },
		},
		{
			"orders", "Order Service: /orders", "ORDERS_ADDR", "127.0.0.1:9002",
			func(cfg config, verifier *token.Verifier) (http.Handler, error) {
				orderService := orders.Config{Verifier: verifier}
				if cfg.redisURL != "" {
					changes, err := orders.OpenChanges(cfg.redisURL, slog.Default())
					if err != nil {
						return nil, err
					}
					orderService.Changes = changes // open until the process ends
				}
				return orders.New(orderService), nil
			},
		},
		{
			"analytics", "Analytics Service: /metrics", "ANALYTICS_ADDR", "127.0.0.1:9003",
			func(_ config, verifier *token.Verifier) (http.Handler, error) {
				return analytics.New(verifier, time.Time{}), nil
			},
		},
	}
}

// choose is the services of those names, or all of them when there are no names.
func choose(names []string) ([]service, error) {
	all := services()
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(s service) bool { return s.name == name }) {
			return nil, fmt.Errorf("there is no service %q: try mockservices --help", name)
		}
	}
	return slices.DeleteFunc(all, func(s service) bool { return !slices.Contains(names, s.name) }), nil
}

// build makes the chosen services. Those that verify tokens share what they know of the issuer's keys.
func build(chosen []service, cfg config) ([]serving.Service, error) {
	verifier := token.NewVerifier(token.Issuer{ID: cfg.issuer, URL: cfg.issuerURL})
	built := make([]serving.Service, len(chosen))
	for i, s := range chosen {
		handler, err := s.build(cfg, verifier)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		built[i] = serving.Service{Name: s.name, Address: cfg.addresses[s.variable], Variable: s.variable, Handler: handler}
	}
	return built, nil
}

func help() string {
	var text strings.Builder
	text.WriteString(`mockservices serves stand-ins for a company's services.

Usage:
  mockservices [service ...]                all services, or only those named
  mockservices healthcheck [service ...]    ask whether they are there, on this host and within 2 s: status 0, or 1

Services:
`)
	for _, s := range services() {
		fmt.Fprintf(&text, "  %-10s %s\n", s.name, s.about)
	}
	text.WriteString("\nVariables:\n")
	for _, v := range variables() {
		fmt.Fprintf(&text, "  %-22s %s; default %s\n", v.name, v.about, v.fallback)
	}
	text.WriteString(`
Every service answers GET /livez, and breaks as told by PUT /_faults, for instance
  {"latency":"2s","status":503,"errorRate":0.2,"hang":false}   (DELETE ends it)
  {"slots":20,"work":"200ms"}                                  works on so many requests at a time, and queues the others
  {"stragglers":0.02,"straggle":"500ms","seed":7}              this share of requests takes so much longer
GET /_calls counts the calls of a service's own routes, and DELETE starts the counts anew.
POST /_rotate on identity makes a new signing key.
`)
	return text.String()
}
