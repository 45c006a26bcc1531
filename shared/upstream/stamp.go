package upstream

import (
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"

	"bff.internal/shared/telemetry"
)

// TimeoutHeader tells a service how many milliseconds its caller will still wait, so that it need not
// work for an answer that nobody reads.
const TimeoutHeader = "X-Request-Timeout-Ms"

// stamp marks each attempt with the traceparent of its own span and with what remains of the deadline.
type stamp struct {
	next    http.RoundTripper
	service string
	tracer  trace.Tracer
}

func (l stamp) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, span := l.tracer.Start(req.Context(), l.service+" attempt", trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	if span.IsRecording() {
		req = req.WithContext(ctx)
	}
	telemetry.Propagate(ctx, req.Header)
	if deadline, ok := ctx.Deadline(); ok {
		remaining := max(0, time.Until(deadline).Milliseconds())
		req.Header[TimeoutHeader] = []string{strconv.FormatInt(remaining, 10)}
	}
	return l.next.RoundTrip(req)
}
