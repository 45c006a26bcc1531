package upstream

import (
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"bff.internal/shared/telemetry"
)

// observe tells telemetry about the logical call, whatever happened below it.
type observe struct {
	next      http.RoundTripper
	service   string
	telemetry *telemetry.Telemetry
}

func (l observe) RoundTrip(req *http.Request) (*http.Response, error) {
	begun := time.Now()
	ctx, span := l.telemetry.Tracer.Start(req.Context(), l.service+" "+req.Method)
	if span.IsRecording() {
		req = req.WithContext(ctx)
	}
	resp, err := l.next.RoundTrip(req)
	call := telemetry.Call{Service: l.service, Outcome: outcome(resp, err), Duration: time.Since(begun), From: callOf(req).from.String()}

	telemetry.EventFrom(ctx).AddCall(call)
	l.telemetry.Metrics.Call(call)
	if span.IsRecording() {
		record(span, call, resp)
	}
	span.End()
	return resp, err
}

func record(span trace.Span, call telemetry.Call, resp *http.Response) {
	span.SetAttributes(attribute.String("peer.service", call.Service), attribute.String("bff.outcome", call.Outcome))
	if resp != nil {
		span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	}
	if call.Outcome != outcomeOK {
		span.SetStatus(codes.Error, call.Outcome)
	}
}

const outcomeOK = "ok"

// outcome is "ok" for every answer that the service meant, a 404 included, and the Kind otherwise.
func outcome(resp *http.Response, err error) string {
	var own *Error
	switch {
	case errors.As(err, &own):
		return string(own.Kind)
	case err != nil || resp.StatusCode >= http.StatusInternalServerError:
		return string(BadAnswer)
	case resp.StatusCode == http.StatusTooManyRequests:
		return string(Shed)
	default:
		return outcomeOK
	}
}
