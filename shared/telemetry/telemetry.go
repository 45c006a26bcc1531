package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Config is the part of a process's configuration that telemetry needs.
type Config struct {
	LogLevel    slog.Level `env:"LOG_LEVEL" envDefault:"INFO" help:"DEBUG, INFO, WARN or ERROR"`
	Endpoint    string     `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"where traces go by OTLP over HTTP, such as http://collector:4318; none are made without it"`
	SampleRatio float64    `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"1" help:"the share of requests that are traced, 0 to 1, whatever the caller's traceparent asks for"`
}

// Validate names the variable that is wrong and what it wants.
func (c Config) Validate() error {
	if !(c.SampleRatio >= 0 && c.SampleRatio <= 1) { // NaN is neither
		return fmt.Errorf("OTEL_TRACES_SAMPLER_ARG: %v is no share; wants a number from 0 to 1", c.SampleRatio)
	}
	if c.Endpoint == "" {
		return nil
	}
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" || (endpoint.Scheme != "http" && endpoint.Scheme != "https") {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %q is no address; wants a URL such as http://collector:4318", c.Endpoint)
	}
	return nil
}

// Telemetry is the process's log, metrics and tracer. All of it may be used concurrently.
type Telemetry struct {
	Log     *slog.Logger
	Metrics *Metrics
	Tracer  trace.Tracer

	stop func(context.Context) error
}

// Open starts the telemetry of the named process; its log goes to w, a line an event. Traces are
// recorded only when an endpoint is configured; an endpoint that cannot be reached fails no request.
// The caller closes it.
func Open(ctx context.Context, cfg Config, service string, w io.Writer) (*Telemetry, error) {
	log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: cfg.LogLevel})).With("service", service)
	t := &Telemetry{
		Log:     log,
		Metrics: NewMetrics(),
		Tracer:  noop.NewTracerProvider().Tracer(service),
		stop:    func(context.Context) error { return nil },
	}
	if cfg.Endpoint == "" {
		return t, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesURL(cfg.Endpoint)))
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sampler(cfg.SampleRatio)),
		sdktrace.WithResource(resource.NewSchemaless(semconv.ServiceName(service))),
	)
	t.Tracer = provider.Tracer(service)
	t.stop = provider.Shutdown
	return t, nil
}

// Close sends what is still to be exported, for as long as ctx allows.
func (t *Telemetry) Close(ctx context.Context) error { return t.stop(ctx) }

// tracesURL is where OTLP takes traces below the endpoint that all signals share.
func tracesURL(endpoint string) string {
	joined, err := url.JoinPath(endpoint, "v1", "traces")
	if err != nil {
		return endpoint
	}
	return joined
}

// sampler decides by chance at the edge of the suite; spans inside follow the decision of the request. By the
// trace id, as usual, a caller, who may choose it, could make us record everything.
func sampler(ratio float64) sdktrace.Sampler {
	edge := chance(ratio)
	return sdktrace.ParentBased(edge,
		sdktrace.WithRemoteParentSampled(edge),
		sdktrace.WithRemoteParentNotSampled(edge))
}

// chance samples that share of what it is asked about.
type chance float64

// ShouldSample decides for one request.
func (c chance) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	decision := sdktrace.Drop
	if rand.Float64() < float64(c) { //nolint:gosec // chooses what to record, keeps no secret
		decision = sdktrace.RecordAndSample
	}
	return sdktrace.SamplingResult{Decision: decision, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
}

// Description names the sampler.
func (c chance) Description() string { return fmt.Sprintf("chance{%g}", float64(c)) }
