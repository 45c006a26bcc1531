package serving_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"bff.internal/mockservices/serving"
)

func TestAProbeAsksThisHost(t *testing.T) {
	t.Parallel()
	at := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, address, path, says string
	}{
		{"the address itself", at, "/livez", ""},
		{"no host is every interface", ":" + port, "/livez", ""},
		{"so is 0.0.0.0", "0.0.0.0:" + port, "/livez", ""},
		{"and so is [::]", "[::]:" + port, "/livez", ""},
		{"another answer than 200", at, "/other", "http://" + at + "/other says 404 Not Found"},
		{"nobody", "127.0.0.1:1", "/livez", "http://127.0.0.1:1/livez does not answer: "},
		{"no address", "here", "/livez", "missing port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := serving.Probe(t.Context(), tt.address, tt.path)
			if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error = %v, want %q", err, tt.says)
			}
		})
	}
}

func TestAProbeOfAServerThatHangsEnds(t *testing.T) {
	t.Parallel()
	handler := make(hanging, 1)
	at := start(t, handler)
	began := time.Now()
	err := serving.Probe(t.Context(), at, "/livez")
	if took := time.Since(began); err == nil || !strings.HasSuffix(err.Error(), "does not answer within 2s") || took > 4*time.Second {
		t.Errorf("error = %v after %v", err, took)
	}
}

// start serves the handler until the test ends and returns host:port.
func start(t *testing.T, handler http.Handler) string {
	t.Helper()
	server, err := serving.Start(nil, serving.Service{Name: "probed", Address: "127.0.0.1:0", Handler: handler})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return strings.TrimPrefix(server.URL(), "http://")
}
