// Package stack is the whole suite in one process: the stand-ins, the three BFFs as they really are, and an
// edge in front of them. The dev stack is this on the usual ports; tests run it on free ones.
package stack

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/bff-partner/partner"
	"bff.internal/devstack/credentials"
	"bff.internal/mockservices/identity"
	"bff.internal/mockservices/serving"
	"bff.internal/shared/apikey"
	"bff.internal/shared/secret"
)

// stopWithin bounds how long the edge and the stand-ins take to stop.
const stopWithin = 2 * time.Second

// Stack is a running suite. Who starts it closes it.
type Stack struct {
	// URLs without a slash at the end, such as http://127.0.0.1:8080.
	Edge, Mobile, Web, Partner                 string
	MobileAdmin, WebAdmin, PartnerAdmin        string
	Issuer, Identity, Users, Orders, Analytics string
	// RedisURL is of the Redis that all parts share.
	RedisURL secret.String

	log      *slog.Logger
	external url.URL      // of the edge, as clients and the BFFs know it
	listener net.Listener // of the edge, which listens first and serves last
	identity *identity.Provider
	// credentials is what SignIn and the routes below /dev are about.
	credentials *credentials.Handler
	partnerKey  *credentials.DemoKey
	// sessionKey encrypts the sessions of bff-web, which end with the stack unless Redis and the key outlive it.
	sessionKey string
	closers    []func() error // in the order of opening
}

// Start starts everything, and returns when every part accepts connections. The error says in one line which
// address is taken and which variable changes it; then nothing runs.
func Start(ctx context.Context, cfg Config) (*Stack, error) {
	if cfg.Log == nil {
		cfg.Log = io.Discard
	}
	log := slog.New(slog.NewJSONHandler(cfg.Log, &slog.HandlerOptions{Level: cfg.LogLevel}))
	s := &Stack{log: log.With("service", "devstack"), sessionKey: newSessionKey()}
	for _, start := range []func(context.Context, *Config) error{s.listenEdge, s.startRedis, s.startServices, s.startBFFs, s.serveEdge} {
		if err := start(ctx, &cfg); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// Close stops everything, the edge first, and returns when nothing runs any more.
func (s *Stack) Close() error {
	var errs []error
	for _, closer := range slices.Backward(s.closers) {
		errs = append(errs, closer())
	}
	s.closers = nil
	return errors.Join(errs...)
}

func (s *Stack) onClose(f func() error) { s.closers = append(s.closers, f) }

// startRedis starts a Redis in the process, unless there is one to use.
func (s *Stack) startRedis(_ context.Context, cfg *Config) error {
	defer func() { s.RedisURL = cfg.RedisURL }()
	if !cfg.RedisURL.IsZero() {
		return nil
	}
	redis := miniredis.NewMiniRedis()
	redis.ClockTTL(true) // or nothing would ever expire
	if err := redis.StartAddr(cfg.Redis); err != nil {
		return fmt.Errorf("REDIS_ADDR: the Redis inside the process cannot listen on %s; set REDIS_ADDR to another address: %w", cfg.Redis, err)
	}
	s.onClose(func() error { redis.Close(); return nil })
	cfg.RedisURL = secretRedisURL(redis.Addr())
	return nil
}

// listenEdge opens the edge's listener, whose port the BFFs have to know.
func (s *Stack) listenEdge(_ context.Context, cfg *Config) (err error) {
	s.listener, err = serving.Listen(serving.Service{Name: "edge", Address: cfg.Edge, Variable: "EDGE_ADDR"})
	if err != nil {
		return err
	}
	s.onClose(func() error {
		_ = s.listener.Close() // served or not
		return nil
	})
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	s.external = url.URL{Scheme: "http", Host: "localhost:" + port}
	return err
}

func (s *Stack) serveEdge(context.Context, *Config) (err error) {
	s.partnerKey = credentials.NewDemoKey(s.RedisURL, apikey.Config{Pepper: secret.New(DevPepper)}, partner.Scopes())
	s.credentials = s.newCredentials()
	web := target(s.Web)
	bffs := map[string]*url.URL{"mobile": target(s.Mobile), "web": web, "api": web, "partner": target(s.Partner)}
	s.Edge, err = s.serve(serving.Service{Name: "edge", Listener: s.listener, Handler: edge(bffs, s.credentials, s.log)})
	return err
}

// serve puts a handler on the network and returns its URL.
func (s *Stack) serve(service serving.Service) (string, error) {
	server, err := serving.Start(s.log, service)
	if err != nil {
		return "", err
	}
	s.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		return server.Stop(ctx)
	})
	return server.URL(), nil
}

// newSessionKey is 32 random bytes in base64.
func newSessionKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return base64.StdEncoding.EncodeToString(key[:])
}

// target parses the URL of a server of ours.
func target(server string) *url.URL {
	parsed, err := url.Parse(server)
	if err != nil {
		panic("stack: " + err.Error())
	}
	return parsed
}
