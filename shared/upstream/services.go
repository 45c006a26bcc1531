package upstream

import (
	"net/http"

	"bff.internal/shared/telemetry"
)

// Services makes the clients of one BFF, which share a policy, a transport and telemetry, and shows how they are.
type Services struct {
	policy    Policy
	transport http.RoundTripper
	telemetry *telemetry.Telemetry
	clients   []*Client
}

// NewServices returns Services without clients. The transport must neither follow redirects nor decompress.
func NewServices(policy Policy, transport http.RoundTripper, t *telemetry.Telemetry) *Services {
	return &Services{policy: policy, transport: transport, telemetry: t}
}

// Client returns a client of the named service, and panics when that has no replicas. All clients are made before
// anybody asks for the Status.
func (s *Services) Client(service string, replicas Replicas) *Client {
	c := New(Config{Service: service, Replicas: replicas, Policy: s.policy, Transport: s.transport, Telemetry: s.telemetry})
	s.clients = append(s.clients, c)
	return c
}
