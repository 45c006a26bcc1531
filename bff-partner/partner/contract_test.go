package partner_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"go.uber.org/goleak"

	"bff.internal/bff-partner/api"
	"bff.internal/bff-partner/partner"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/web/contracttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheContract(t *testing.T) {
	t.Parallel()
	cfg := partner.DefaultConfig()
	cfg.Web.ExternalURL, cfg.Web.MaxBody = url.URL{Scheme: "http", Host: "localhost:8080"}, 1<<20
	bff := partner.New(cfg, platformtest.New(t, http.DefaultTransport))
	contract := contracttest.Load(t, api.Contract)
	contract.CheckRoutes(t, bff)

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
			req := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, http.NoBody)
			rec := httptest.NewRecorder()
			bff.ServeHTTP(rec, req)
			if rec.Code != tt.status {
				t.Errorf("status = %d, want %d: %s", rec.Code, tt.status, rec.Body)
			}
			contract.CheckAnswer(t, req, rec)
		})
	}
}
