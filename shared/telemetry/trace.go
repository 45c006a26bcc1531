package telemetry

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Continue returns a context with the caller's trace, as W3C Trace Context carries it in the header. A
// missing or malformed traceparent begins a new trace, so there always is a trace id to log. The caller's
// sampled bit is dropped: whether to record is decided here.
func Continue(ctx context.Context, header http.Header) context.Context {
	if header.Get("Traceparent") != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
	}
	parent := trace.SpanContextFromContext(ctx)
	if !parent.IsValid() {
		parent = trace.NewSpanContext(trace.SpanContextConfig{TraceID: newTraceID(), SpanID: newSpanID()})
	}
	return trace.ContextWithRemoteSpanContext(ctx, parent.WithTraceFlags(0))
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
