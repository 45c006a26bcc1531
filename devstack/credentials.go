package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"bff.internal/bff-partner/partner"
	"bff.internal/devstack/credentials"
	"bff.internal/mockservices/serving"
	"bff.internal/shared/apikey"
	"bff.internal/shared/secret"
)

// listenConfig says where the credentials are served.
type listenConfig struct {
	Addr string `env:"ADDR" envDefault:"127.0.0.1:8084" help:"host:port where credentials are served, to whoever can reach it"`
}

// Validate names the variable and what it wants.
func (c listenConfig) Validate() error {
	_, port, err := net.SplitHostPort(c.Addr)
	if _, notPort := strconv.ParseUint(port, 10, 16); err != nil || notPort != nil {
		return fmt.Errorf("ADDR: %q is no address to listen on; wants host:port, such as 127.0.0.1:8084 or :8084", c.Addr)
	}
	return nil
}

// credentialsConfig is the environment of devstack credentials.
type credentialsConfig struct {
	Listen      listenConfig
	Credentials credentials.Config
	RedisURL    secret.String `env:"REDIS_URL,required" help:"the Redis of bff-partner, where a key for the demo partner is made"`
	Keys        apikey.Config
	LogLevel    slog.Level `env:"LOG_LEVEL" envDefault:"INFO" help:"DEBUG, INFO, WARN or ERROR"`

	// Log gets a JSON line an event.
	Log io.Writer
}

// livePath is where the credentials' server says that it is there.
const livePath = "/livez"

// serveCredentials serves the routes below /dev until ctx ends.
func serveCredentials(ctx context.Context, cfg credentialsConfig) error {
	log := slog.New(slog.NewJSONHandler(cfg.Log, &slog.HandlerOptions{Level: cfg.LogLevel}))
	cfg.Credentials.Log = log
	cfg.Credentials.PartnerKey = credentials.NewDemoKey(cfg.RedisURL, cfg.Keys, partner.Scopes()).Get
	handler := credentials.New(cfg.Credentials)
	return serving.Run(ctx, log, []serving.Service{{
		Name: "credentials", Address: cfg.Listen.Addr, Variable: "ADDR",
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == livePath {
				w.WriteHeader(http.StatusOK)
				return
			}
			handler.ServeHTTP(w, r)
		}),
	}})
}

// healthcheck asks the server of credentials on this host.
func healthcheck(ctx context.Context, cfg listenConfig) error {
	return serving.Probe(ctx, cfg.Addr, livePath)
}
