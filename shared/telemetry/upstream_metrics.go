package telemetry

import "github.com/prometheus/client_golang/prometheus"

const labelService = "service"

// upstreamMetrics is what keeps calls to services standing, counted.
type upstreamMetrics struct {
	circuits *prometheus.GaugeVec
	ejected  *prometheus.GaugeVec
	extra    *prometheus.CounterVec
	unasked  *prometheus.CounterVec
	answers  *prometheus.CounterVec
}

func newUpstreamMetrics() upstreamMetrics {
	return upstreamMetrics{
		circuits: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upstream_circuit_state",
			Help: "Circuit of each upstream replica: 0 closed, 1 half-open, 2 open.",
		}, []string{labelService, "replica"}),
		ejected: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "upstream_replica_ejected",
			Help: "1 while an upstream replica is passed over because of failures in a row.",
		}, []string{labelService, "replica"}),
		extra: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upstream_extra_attempts_total",
			Help: "Attempts beyond a call's first; kind is retry, hedge, or reconnect where a kept connection was closed.",
		}, []string{labelService, "kind"}),
		unasked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upstream_shed_total",
			Help: "Calls that were not made because the service has more to do than it can.",
		}, []string{labelService}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "upstream_answers_total",
			Help: "Answers that might have been stored, by where they came from: hit, stale, revalidated, collapsed or miss.",
		}, []string{labelService, "from"}),
	}
}

func (m upstreamMetrics) register(r *prometheus.Registry) {
	r.MustRegister(m.circuits, m.ejected, m.extra, m.unasked, m.answers)
}

// Circuit says the state of a replica's circuit: 0 closed, 1 half-open, 2 open.
func (m upstreamMetrics) Circuit(service, replica string, state int) {
	m.circuits.WithLabelValues(service, replica).Set(float64(state))
}

// Ejected says whether a replica is passed over.
func (m upstreamMetrics) Ejected(service, replica string, ejected bool) {
	value := 0.0
	if ejected {
		value = 1
	}
	m.ejected.WithLabelValues(service, replica).Set(value)
}

// ExtraAttempt counts an attempt beyond a call's first, which is a "retry", a "hedge" or a "reconnect".
func (m upstreamMetrics) ExtraAttempt(service, kind string) {
	m.extra.WithLabelValues(service, kind).Inc()
}

// UpstreamShed counts a call that was not made because the service has more to do than it can.
func (m upstreamMetrics) UpstreamShed(service string) { m.unasked.WithLabelValues(service).Inc() }

// AnswerFrom counts an answer by where it came from: "hit", "stale", "revalidated", "collapsed" or "miss".
func (m upstreamMetrics) AnswerFrom(service, from string) {
	m.answers.WithLabelValues(service, from).Inc()
}

// Upstream shows how much a service is asked for: calls in flight, their limit, and calls that wait. What is counted of
// the service begins at zero. A service is shown once.
func (m *Metrics) Upstream(service string, state func() (inFlight, limit, waiting int)) {
	m.unasked.WithLabelValues(service)
	m.extra.WithLabelValues(service, "retry")
	m.extra.WithLabelValues(service, "hedge")
	m.extra.WithLabelValues(service, "reconnect")
	for _, from := range []string{"hit", "stale", "revalidated", "collapsed", "miss"} {
		m.answers.WithLabelValues(service, from)
	}
	gauge := func(name, help string, value func() int) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: name, Help: help, ConstLabels: prometheus.Labels{labelService: service},
		}, func() float64 { return float64(value()) }))
	}
	gauge("upstream_calls_in_flight", "Calls in flight to a service.", func() int { n, _, _ := state(); return n })
	gauge("upstream_calls_limit", "How many calls may be in flight to a service for now; it follows what the service can do.", func() int { _, n, _ := state(); return n })
	gauge("upstream_calls_waiting", "Calls that wait for their turn at a service.", func() int { _, _, n := state(); return n })
}
