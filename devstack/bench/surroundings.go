package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/alicebob/miniredis/v2"

	"bff.internal/mockservices/identity"
)

// surroundings is what bff-mobile needs besides its services: a Redis and an issuer of tokens, in this process.
type surroundings struct {
	redis    *miniredis.Miniredis
	identity *identity.Provider
	issuer   string
	server   *http.Server
	served   chan struct{} // closed when the server has ended
}

// openSurroundings starts both. The caller closes them.
func openSurroundings(ctx context.Context) (*surroundings, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &surroundings{issuer: "http://" + listener.Addr().String(), served: make(chan struct{})}
	s.identity, err = identity.New(identity.Config{Issuer: s.issuer, PartnerSecret: identity.DevPartnerSecret})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if s.redis, err = miniredis.Run(); err != nil {
		return nil, errors.Join(fmt.Errorf("miniredis: %w", err), listener.Close())
	}
	s.server = &http.Server{Handler: s.identity, ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(listener) // it ends when it is closed; without it every token is refused, which says so
	}()
	return s, nil
}

func (s *surroundings) close() {
	_ = s.server.Close()
	<-s.served
	s.redis.Close()
}

// requests is one request for each connection, every one by a user of its own with a token that was minted just now:
// tokens live five minutes, less than a long run.
func (s *surroundings) requests(addr string, connections int) ([][]byte, error) {
	requests := make([][]byte, connections)
	for i := range requests {
		token, err := s.identity.Mint(identity.TokenRequest{User: fmt.Sprintf("bench-%d", i), Client: "mobile-app"})
		if err != nil {
			return nil, fmt.Errorf("mint a token: %w", err)
		}
		requests[i] = newRequest(addr, token)
	}
	return requests, nil
}

// mobileEnv is the environment of bff-mobile. It exports no traces, as long as nobody names a collector, and makes three
// calls for each request, as the others do.
func (s *surroundings) mobileEnv(services string) []string {
	return []string{
		"ADDR=127.0.0.1:0",
		"ADMIN_ADDR=127.0.0.1:0",
		"REDIS_URL=redis://" + s.redis.Addr(),
		"ISSUER=" + s.issuer,
		"USERS_URLS=" + services,
		"ORDERS_URLS=" + services,
		"ANALYTICS_URLS=" + services,
		"DRAIN_DELAY=0s",
		"CACHE_BYTES=0",
	}
}
