package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is everything that this process counts. Label values are bounded: route templates, known
// methods, statuses, configured services and replicas; nothing that a caller chooses.
type Metrics struct {
	upstreamMetrics

	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	calls    *prometheus.HistogramVec
	sections *prometheus.CounterVec
	limits   *prometheus.CounterVec
	inFlight prometheus.Gauge
	most     prometheus.Gauge
	shed     *prometheus.CounterVec
}

// NewMetrics returns metrics with a registry of their own.
func NewMetrics() *Metrics {
	buckets := []float64{.001, .0025, .005, .01, .025, .05, .1, .2, .3, .4, .6, .8, 1, 1.5, 2, 5}
	m := &Metrics{
		upstreamMetrics: newUpstreamMetrics(),
		registry:        prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_request_duration_seconds",
			Help:    "Requests answered, by route template; 499 are clients that left.",
			Buckets: buckets,
		}, []string{"method", "route", "status"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "upstream_call_duration_seconds",
			Help:    "Logical calls to upstream services; outcome is ok or why there was no useful answer.",
			Buckets: buckets,
		}, []string{labelService, "outcome"}),
		sections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "answer_sections_unavailable_total",
			Help: "Sections of aggregated answers that had to be left out.",
		}, []string{"section", "reason"}),
		limits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rate_limit_decisions_total",
			Help: "Requests that a limit has allowed or limited, decided by redis or, while that was away, local.",
		}, []string{"limit", "decision", "where"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_requests_in_flight",
			Help: "Requests let in and not yet answered; those to routes that are never shed are not counted.",
		}),
		most: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_requests_in_flight_limit",
			Help: "How many requests may be in flight for now; it falls while the CPUs cannot keep up.",
		}),
		shed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_shed_total",
			Help: "Requests turned away: full, because of the limit, or share, because their caller had as many as there were places free.",
		}, []string{"reason"}),
	}
	m.registry.MustRegister(m.requests, m.calls, m.sections, m.limits, m.inFlight, m.most, m.shed,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.register(m.registry)
	return m
}

// Handler serves the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Request counts an answered request. The route is its template, or "" when no route took it.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(knownMethod(method), route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Call counts a call to an upstream service.
func (m *Metrics) Call(call Call) {
	m.calls.WithLabelValues(call.Service, call.Outcome).Observe(call.Duration.Seconds())
}

// Unavailable counts a section that had to be left out of an answer.
func (m *Metrics) Unavailable(section, reason string) {
	m.sections.WithLabelValues(section, reason).Inc()
}

// RateLimit counts a request that the named limit has "allowed" or "limited", as "redis" or the "local" process decided.
func (m *Metrics) RateLimit(limit, decision, where string) {
	m.limits.WithLabelValues(limit, decision, where).Inc()
}

// InFlight counts requests that were let in (1) or have ended (-1).
func (m *Metrics) InFlight(change int) { m.inFlight.Add(float64(change)) }

// InFlightLimit says how many requests may be in flight.
func (m *Metrics) InFlightLimit(limit int) { m.most.Set(float64(limit)) }

// Shed counts a request that was turned away because the server is "full" or its caller has its "share".
func (m *Metrics) Shed(reason string) { m.shed.WithLabelValues(reason).Inc() }

// knownMethod keeps invented methods from becoming label values.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
