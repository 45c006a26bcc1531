package telemetry

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Begin starts the span of a request that came with the header: in the caller's trace, if it carries a valid
// W3C traceparent, or else in a new one. There always is a trace id to log. The caller's sampled bit is
// dropped: whether to record is decided here. The caller of Begin ends the span.
func (t *Telemetry) Begin(ctx context.Context, header http.Header, name string) (context.Context, trace.Span) {
	if header.Get("Traceparent") != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.SpanContextFromContext(ctx).WithTraceFlags(0))
	}
	ctx, span := t.Tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	if !span.SpanContext().IsValid() { // nothing is recorded, and nothing came along
		ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: newTraceID(), SpanID: newSpanID()}))
	}
	return ctx, span
}

// Propagate writes the trace of ctx into the header of an outgoing request.
func Propagate(ctx context.Context, header http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
}

// TraceID returns the id of the trace that ctx belongs to, or "" outside any.
func TraceID(ctx context.Context) string {
	id := trace.SpanContextFromContext(ctx).TraceID()
	if !id.IsValid() {
		return ""
	}
	return id.String()
}

// Ids only have to be unlikely to meet again, not hard to guess.
func newTraceID() (id trace.TraceID) {
	binary.BigEndian.PutUint64(id[:8], rand.Uint64()|1)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	return id
}

func newSpanID() (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
