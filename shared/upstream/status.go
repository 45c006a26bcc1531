package upstream

import (
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"

	"bff.internal/shared/telemetry"
)

// Status is what a BFF knows of its services, in the words of GET /upstreams.
type Status struct {
	At       time.Time       `json:"at"`
	Services []ServiceStatus `json:"services"`
}

// ServiceStatus is one service.
type ServiceStatus struct {
	Name string `json:"name"`
	// State is "ok", "degraded" when a part of it fails or calls are shed, or "down" when nobody would be asked.
	State string `json:"state"`
	// Since is when the first of what is wrong now began; absent when nothing is.
	Since time.Time `json:"since,omitzero"`
	// Problems says in words what is wrong.
	Problems []string   `json:"problems,omitempty"`
	Gate     GateStatus `json:"gate"`
	// Retries and Hedges are absent where there is only one replica.
	Retries *BudgetStatus `json:"retries,omitempty"`
	Hedges  *BudgetStatus `json:"hedges,omitempty"`
	// P50Ms and P95Ms are of the answers of the last 10 to 20 s; 0 when there were fewer than 20.
	P50Ms    float64         `json:"p50Ms"`
	P95Ms    float64         `json:"p95Ms"`
	Replicas []ReplicaStatus `json:"replicas"`
}

// GateStatus is how much the service is asked for at a time.
type GateStatus struct {
	InFlight   int       `json:"inFlight"`
	Limit      int       `json:"limit"`
	Waiting    int       `json:"waiting"`
	MaxWaiting int       `json:"maxWaiting"`
	Shed       uint64    `json:"shed"`
	LastShed   time.Time `json:"lastShed,omitzero"`
	// Shedding is when the shedding began that LastShed belongs to.
	Shedding time.Time `json:"shedding,omitzero"`
}

// BudgetStatus is what is left for attempts beyond the first, and how many were made.
type BudgetStatus struct {
	Saved   float64 `json:"saved"`
	Most    float64 `json:"most"`
	Granted uint64  `json:"granted"`
	Denied  uint64  `json:"denied"`
}

// ReplicaStatus is one base URL of a service.
type ReplicaStatus struct {
	URL string `json:"url"`
	// Circuit is "closed", "half-open", "open", or "none".
	Circuit      string    `json:"circuit"`
	CircuitSince time.Time `json:"circuitSince,omitzero"`
	EjectedSince time.Time `json:"ejectedSince,omitzero"`
	// EjectedUntil is when a call may try it; later than that a call has yet to come.
	EjectedUntil time.Time `json:"ejectedUntil,omitzero"`
	FailingSince time.Time `json:"failingSince,omitzero"`
	// LastFailure is the reason of the last attempt that failed, at LastFailed.
	LastFailure string    `json:"lastFailure,omitempty"`
	LastFailed  time.Time `json:"lastFailed,omitzero"`
	InFlight    int64     `json:"inFlight"`
	// Failed of Judged attempts have failed, of the last ten seconds or since the circuit changed.
	Failed uint32  `json:"failed"`
	Judged uint32  `json:"judged"`
	P95Ms  float64 `json:"p95Ms"`
}

const (
	stateOK       = "ok"
	stateDegraded = "degraded"
	stateDown     = "down"
)

// Status returns what is known of the service now.
func (c *Client) Status() ServiceStatus {
	now := time.Now()
	s := ServiceStatus{Name: c.service, State: stateOK, Gate: c.gate.state()}
	p50, p95 := c.pool.latencies.quantiles(now)
	s.P50Ms, s.P95Ms = telemetry.Milliseconds(p50), telemetry.Milliseconds(p95)
	if len(c.pool.replicas) > 1 {
		retries, hedges := c.retries.state(), c.hedges.state()
		s.Retries, s.Hedges = &retries, &hedges
	}
	for _, r := range c.pool.replicas {
		replica := c.pool.status(r, now)
		s.Replicas = append(s.Replicas, replica)
		s.wrong(replica.complaint(now))
	}
	if last := s.Gate.LastShed; !last.IsZero() && now.Sub(last) <= failingFor {
		s.wrong(fmt.Sprintf("calls are shed, the last %s ago: %d in flight of %d, %d waiting", ago(now, last), s.Gate.InFlight, s.Gate.Limit, s.Gate.Waiting), s.Gate.Shedding)
	}
	if !c.pool.admitsAny() {
		s.State = stateDown
	}
	return s
}

// wrong adds a problem, if there is one.
func (s *ServiceStatus) wrong(problem string, since time.Time) {
	if problem == "" {
		return
	}
	s.State = stateDegraded
	s.Problems = append(s.Problems, problem)
	if s.Since.IsZero() || since.Before(s.Since) {
		s.Since = since
	}
}

func (p *pool) status(r *replica, now time.Time) ReplicaStatus {
	_, p95 := r.latencies.quantiles(now)
	s := ReplicaStatus{URL: r.url.String(), Circuit: "none", InFlight: r.inFlight.Load(), P95Ms: telemetry.Milliseconds(p95)}
	if r.circuit != nil {
		s.Circuit = r.state(now).String() // which also forgets what is old
		counts := r.circuit.Counts()
		s.Failed, s.Judged = counts.TotalFailures, counts.TotalFailures+counts.TotalSuccesses
		if changed := r.changed.Load(); changed != 0 {
			s.CircuitSince = time.Unix(0, changed).UTC()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &r.ejection
	s.LastFailure, s.LastFailed = e.reason, utc(e.failed)
	if e.ejected() {
		s.EjectedSince, s.EjectedUntil = utc(e.since), utc(e.until)
	}
	if !e.failed.IsZero() && now.Sub(e.failed) <= failingFor {
		s.FailingSince = utc(e.failing)
	}
	return s
}

// complaint is what is wrong with the replica, in words, and since when; "" when nothing is.
func (s ReplicaStatus) complaint(now time.Time) (problem string, since time.Time) {
	switch {
	case s.Circuit == gobreaker.StateOpen.String(), s.Circuit == gobreaker.StateHalfOpen.String():
		since, problem = s.CircuitSince, "circuit "+s.Circuit
	case !s.EjectedSince.IsZero():
		since, problem = s.EjectedSince, "passed over"
	case !s.FailingSince.IsZero():
		since, problem = s.FailingSince, "fails now and then"
	default:
		return "", time.Time{}
	}
	if !s.FailingSince.IsZero() && s.FailingSince.Before(since) {
		since = s.FailingSince
	}
	return fmt.Sprintf("%s: %s; last failure: %s, %s ago", s.URL, problem, s.LastFailure, ago(now, s.LastFailed)), since
}

// ago is how long something is past, to the second.
func ago(now, then time.Time) string { return now.Sub(then).Truncate(time.Second).String() }

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}
