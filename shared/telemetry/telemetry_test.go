package telemetry_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"bff.internal/shared/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBegin(t *testing.T) {
	t.Parallel()
	const (
		id     = "0af7651916cd43dd8448eb211c80319c"
		parent = "b7ad6b7169203331"
	)
	for _, tt := range []struct {
		name, traceparent string
		continued         bool
	}{
		{"a trace is continued", "00-" + id + "-" + parent + "-00", true},
		{"a trace is continued, but not recorded because the caller says so", "00-" + id + "-" + parent + "-01", true},
		{"no trace: a new one begins", "", false},
		{"a trace id of zeros is replaced", "00-" + strings.Repeat("0", 32) + "-" + parent + "-01", false},
		{"another version is no licence for garbage", "ff-" + id + "-" + parent + "-01", false},
		{"garbage is replaced", "garbage", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			if tt.traceparent != "" {
				header.Set("Traceparent", tt.traceparent)
			}
			tel, err := telemetry.Open(t.Context(), telemetry.Config{}, "test", t.Output())
			if err != nil {
				t.Fatal(err)
			}
			ctx, span := tel.Begin(t.Context(), header, "GET")
			defer span.End()
			got := telemetry.TraceID(ctx)
			if len(got) != 32 || (got == id) != tt.continued {
				t.Errorf("trace id = %q, want it continued = %v", got, tt.continued)
			}
			if trace.SpanContextFromContext(ctx).IsSampled() {
				t.Error("the caller decided that we record")
			}
			out := http.Header{}
			telemetry.Propagate(ctx, out)
			if sent := out.Get("Traceparent"); !strings.HasPrefix(sent, "00-"+got+"-") || !strings.HasSuffix(sent, "-00") {
				t.Errorf("sent on: %q", sent)
			}
		})
	}
}

func TestNothingIsObservedOutsideARequest(t *testing.T) {
	t.Parallel()
	event := telemetry.EventFrom(t.Context())
	event.SetCaller(telemetry.Caller{Kind: "user", ID: "ada"})
	event.SetSections(nil)
	event.SetRoute("/")
	event.AddCall(telemetry.Call{})
	event.Fail(nil)
	if event != nil || event.RequestID() != "" {
		t.Errorf("event = %+v, want none", event)
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, variable string
		cfg            telemetry.Config
	}{
		{"no traces", "", telemetry.Config{}},
		{"traces", "", telemetry.Config{Endpoint: "http://collector:4318", SampleRatio: 0.5}},
		{"an endpoint without scheme", "OTEL_EXPORTER_OTLP_ENDPOINT", telemetry.Config{Endpoint: "collector:4318"}},
		{"an endpoint for gRPC", "OTEL_EXPORTER_OTLP_ENDPOINT", telemetry.Config{Endpoint: "grpc://collector:4317"}},
		{"more than all", "OTEL_TRACES_SAMPLER_ARG", telemetry.Config{SampleRatio: 1.5}},
		{"no number", "OTEL_TRACES_SAMPLER_ARG", telemetry.Config{SampleRatio: math.NaN()}},
		{"less than none", "OTEL_TRACES_SAMPLER_ARG", telemetry.Config{SampleRatio: -1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.cfg.Validate()
			if (err == nil) != (tt.variable == "") || (err != nil && !strings.HasPrefix(err.Error(), tt.variable+": ")) {
				t.Errorf("error = %v, want one that begins with %q", err, tt.variable)
			}
		})
	}
}

func TestInventedMethodsAreNoLabels(t *testing.T) {
	t.Parallel()
	metrics := telemetry.NewMetrics()
	metrics.Request("BREW", "", http.StatusNotFound, 0)
	if got := scrape(t, metrics); !strings.Contains(got, `{method="other",route="none",status="404"`) || strings.Contains(got, "BREW") {
		t.Errorf("metrics: %s", got)
	}
}

func scrape(t *testing.T, metrics *telemetry.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	return rec.Body.String()
}
