package upstream

import (
	"net/http"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/telemetry"
)

// Services makes the clients of one BFF, which share a policy, a transport and telemetry, and shows how they are.
type Services struct {
	policy    Policy
	transport http.RoundTripper
	telemetry *telemetry.Telemetry
	answers   *cache.Store
	// background runs what no caller waits for.
	background Background
	clients    []*Client
}

// NewServices returns Services without clients. The transport must neither follow redirects nor decompress. What no
// caller waits for runs in the background.
func NewServices(policy Policy, transport http.RoundTripper, t *telemetry.Telemetry, background Background) *Services {
	if policy.CacheBytes == 0 {
		policy.Without.Cache, policy.Without.Coalesce = true, true
	}
	return &Services{policy: policy, transport: transport, telemetry: t, answers: cache.New(int64(policy.CacheBytes)), background: background}
}

// Client returns a client of the named service, and panics when that has no replicas or has a client
// already. All clients are made before
// anybody asks for the Status.
func (s *Services) Client(service string, replicas Replicas) *Client {
	c := New(Config{Service: service, Replicas: replicas, Policy: s.policy, Transport: s.transport, Telemetry: s.telemetry, Answers: s.answers, Background: s.background})
	s.clients = append(s.clients, c)
	s.telemetry.Metrics.Upstream(service, func() (inFlight, limit, waiting int) {
		state := c.gate.state()
		return state.InFlight, state.Limit, state.Waiting
	})
	return c
}

// Status returns what is known of all services now.
func (s *Services) Status() Status {
	status := Status{At: time.Now().UTC(), Services: []ServiceStatus{}}
	for _, c := range s.clients {
		status.Services = append(status.Services, c.Status())
	}
	return status
}
