package mobile_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream/upstreamtest"
)

// spans collects what is exported: the name of each span's parent by the span's name.
type spans struct {
	mu     sync.Mutex
	names  map[string]string // by span id
	parent map[string]string // span id by name
	traces map[string]bool
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var export collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range export.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				s.names[string(span.GetSpanId())] = span.GetName()
				s.parent[span.GetName()] = string(span.GetParentSpanId())
				s.traces[string(span.GetTraceId())] = true
			}
		}
	}
}

func TestARequestIsOneTrace(t *testing.T) {
	t.Parallel()
	exported := &spans{names: map[string]string{}, parent: map[string]string{}, traces: map[string]bool{}}
	server := httptest.NewServer(exported)
	defer server.Close()

	b := newBFF(t)
	p, err := platform.Open(t.Context(), platform.Config{
		Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", RedisURL: secret.New("redis://127.0.0.1:1"), MaxBody: 1 << 20,
		Telemetry: telemetry.Config{Endpoint: server.URL, SampleRatio: 1},
	}, "bff-mobile", t.Output())
	if err != nil {
		t.Fatal(err)
	}
	p.Transport = b.script
	b.Handler = mobile.New(config(t), p)
	b.script.Answer("/metrics", upstreamtest.Answer{Status: http.StatusInternalServerError})
	if rec := b.dashboard(t); rec.Code != http.StatusOK {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if err := p.Telemetry.Close(t.Context()); err != nil { // sends what is recorded, however busy the machine
		t.Error(err)
	}
	p.Close()

	exported.mu.Lock()
	defer exported.mu.Unlock()
	got := map[string]string{}
	for name, parent := range exported.parent {
		got[name] = exported.names[parent]
	}
	want := map[string]string{
		"GET /mobile/dashboard": "",
		"section user":          "GET /mobile/dashboard", "users GET": "section user", "users attempt": "users GET",
		"section activeOrders": "GET /mobile/dashboard", "orders GET": "section activeOrders", "orders attempt": "orders GET",
		"section metrics": "GET /mobile/dashboard", "analytics GET": "section metrics", "analytics attempt": "analytics GET",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(exported.traces) != 1 {
		t.Errorf("%d traces; spans and their parents (-want +got):\n%s", len(exported.traces), diff)
	}
	for _, req := range b.script.Requests() {
		if req.URL.Host == "users.test" && req.Header.Get("Traceparent")[53:] != "01" {
			t.Errorf("Traceparent = %q, want it sampled", req.Header.Get("Traceparent"))
		}
	}
}
