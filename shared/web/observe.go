package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"bff.internal/shared/telemetry"
)

func (s *Server) log(ctx context.Context, r *http.Request, answer *recorder, event *telemetry.Event, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case answer.broken || answer.status == http.StatusInternalServerError:
		level = slog.LevelError
	case answer.status > http.StatusInternalServerError:
		level = slog.LevelWarn
	}
	if !s.telemetry.Log.Enabled(ctx, level) {
		return
	}
	attrs := append(event.Attrs(),
		slog.String("method", short(r.Method)),
		slog.Int("status", answer.status),
		slog.Float64("ms", telemetry.Milliseconds(took)),
		slog.Int64("bytes", answer.bytes),
		slog.String("traceId", telemetry.TraceID(ctx)),
		slog.String("clientIp", s.clientIP(r)),
		slog.String("userAgent", short(r.UserAgent())),
	)
	if answer.shed {
		attrs = append(attrs, slog.Bool("shed", true))
	}
	s.telemetry.Log.LogAttrs(ctx, level, "request", attrs...)
}

func end(span trace.Span, r *http.Request, answer *recorder, event *telemetry.Event) {
	if span.IsRecording() {
		span.SetName(short(r.Method) + " " + event.Route())
		span.SetAttributes(
			attribute.String("http.request.method", short(r.Method)),
			attribute.String("http.route", event.Route()),
			attribute.Int("http.response.status_code", answer.status))
		if answer.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(answer.status))
		}
	}
	span.End()
}

// short keeps what a caller chose from filling the log.
func short(text string) string {
	const longest = 200
	return text[:min(len(text), longest)]
}
