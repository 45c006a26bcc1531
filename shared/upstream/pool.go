package upstream

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"bff.internal/shared/telemetry"
)

// maxReplicas is how many replicas a service may have: a call remembers the ones that it has asked in a word.
const maxReplicas = 64

// pool is the replicas of one service and what is known of each.
type pool struct {
	service   string
	replicas  []*replica
	latencies latencies // of attempts that were answered
	telemetry *telemetry.Telemetry
	ejects    bool // false when the policy leaves that out

	mu      sync.Mutex // of all ejections
	ejected int
}

// replica is one base URL of a service.
type replica struct {
	url       *url.URL
	index     int
	row       row
	circuit   *circuit     // nil when the policy leaves it out
	changed   atomic.Int64 // when the circuit last changed, in Unix nanoseconds; 0 when it never did
	inFlight  atomic.Int64
	latencies latencies
	ejection  ejection // guarded by pool.mu
}

func newPool(cfg Config) *pool {
	p := &pool{service: cfg.Service, telemetry: cfg.Telemetry, ejects: !cfg.Policy.Without.Eject}
	for i, base := range cfg.Replicas {
		r := &replica{url: base, index: i}
		cfg.Telemetry.Metrics.Ejected(cfg.Service, base.Host, false)
		if !cfg.Policy.Without.Break {
			r.circuit = newCircuit(cfg.Service, r, cfg.Telemetry)
		}
		p.replicas = append(p.replicas, r)
	}
	return p
}

// byHost finds the replica that a request is addressed to.
func (p *pool) byHost(host string) *replica {
	for _, r := range p.replicas {
		if r.url.Host == host {
			return r
		}
	}
	return nil
}

// admits reports whether one more attempt of the call would get somewhere: at a replica that it has not asked, which is
// neither ejected nor has a circuit that is anything but closed.
func (p *pool) admits(c *call) bool {
	for _, r := range p.replicas {
		if !c.hasAsked(r.index) && p.isWell(r) {
			return true
		}
	}
	return false
}

// admitsAny reports whether any replica would be asked now.
func (p *pool) admitsAny() bool {
	now := time.Now()
	for _, r := range p.replicas {
		if r.circuit == nil || (r.state(now) != gobreaker.StateOpen && !r.row.suspect()) {
			return true
		}
	}
	return false
}

func (p *pool) isWell(r *replica) bool {
	if r.circuit != nil && (r.state(time.Now()) != gobreaker.StateClosed || r.row.suspect()) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !r.ejection.ejected()
}

// turns is an order in which replicas may be asked.
type turns [maxReplicas]uint8

// shuffled returns the indexes of all replicas in an order of its own.
func (p *pool) shuffled(order *turns) []uint8 {
	n := len(p.replicas)
	for i := range n {
		order[i] = uint8(i)
	}
	for i := n - 1; i > 0; i-- {
		j := rand.IntN(i + 1) //nolint:gosec // spreads load, keeps no secret
		order[i], order[j] = order[j], order[i]
	}
	return order[:n]
}

// succeeded reports whether the replica has done its work, whatever it answered.
func succeeded(resp *http.Response, err error) bool {
	return err == nil && resp.StatusCode < http.StatusInternalServerError
}

func (p *pool) warn(message string, r *replica, attrs ...any) {
	p.telemetry.Log.Warn(message, append([]any{slog.String("upstream", p.service), slog.String("replica", r.url.Host)}, attrs...)...)
}

// took measures an attempt that was answered.
func (p *pool) took(r *replica, took time.Duration, now time.Time) {
	p.latencies.record(took, now)
	r.latencies.record(took, now)
}
