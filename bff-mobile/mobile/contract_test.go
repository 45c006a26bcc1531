package mobile_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"bff.internal/bff-mobile/api"
	"bff.internal/shared/web/contracttest"
)

func TestTheRoutesAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	contracttest.Load(t, api.Contract).CheckRoutes(t, newBFF(t).Handler)
}

func TestTheContractIsServedToEverybody(t *testing.T) {
	t.Parallel()
	rec := newBFF(t).get(t, "/mobile/openapi.yaml", "")
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/yaml" || !bytes.Equal(rec.Body.Bytes(), api.Contract) {
		t.Errorf("%d %s: %.80s", rec.Code, rec.Header().Get("Content-Type"), rec.Body)
	}
}

// checkSchema fails the test unless the contract allows the answer to GET /mobile/dashboard.
func checkSchema(t *testing.T, rec *httptest.ResponseRecorder) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mobile/dashboard", http.NoBody)
	contracttest.Load(t, api.Contract).CheckAnswer(t, req, rec)
}
