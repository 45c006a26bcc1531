package partner_test

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheContract(t *testing.T) {
	t.Parallel()
	b := newBFF(t, miniredis.RunT(t))
	b.contract.CheckRoutes(t, b.Handler)

	for _, tt := range []struct {
		name, method, path string
		status             int
	}{
		{"the contract is served", "GET", "/partner/openapi.yaml", 200},
		{"HEAD answers like GET", "HEAD", "/partner/openapi.yaml", 200},
		{"an unknown path", "GET", "/partner/dashboard", 404},
		{"a wrong method", "POST", "/partner/openapi.yaml", 405},
		{"a path with a trick", "GET", "/partner/..%2fopenapi.yaml", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if rec := b.ask(t, tt.method, tt.path); rec.Code != tt.status {
				t.Errorf("status = %d, want %d: %s", rec.Code, tt.status, rec.Body)
			}
		})
	}
}
