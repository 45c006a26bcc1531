// Package telemetry is what a process says about itself: JSON logs with one wide event a request,
// Prometheus metrics, and OpenTelemetry traces.
package telemetry
