package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// answer.json is what bff-mobile answers; the test beside it, in the package above, holds that.
func TestAnswersTheBytesOfBffMobile(t *testing.T) {
	t.Parallel()
	answer := dashboardOver(t, map[string]string{
		"/users/me": "user.json", "/orders?status=active&user=me": "orders.json", "/metrics?user=me&window=30d": "metrics.json",
	})
	if answer.Code != http.StatusOK {
		t.Fatalf("status = %d", answer.Code)
	}
	want, err := os.ReadFile("../testdata/answer.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), answer.Body.String()); diff != "" {
		t.Errorf("the answer differs from bff-mobile's (-bff-mobile +bare):\n%s", diff)
	}
}

func TestAServiceThatFailsFailsTheAnswer(t *testing.T) {
	t.Parallel()
	answer := dashboardOver(t, map[string]string{"/users/me": "user.json", "/orders?status=active&user=me": "orders.json"})
	if answer.Code != http.StatusBadGateway {
		t.Errorf("status = %d, want 502", answer.Code)
	}
}

// dashboardOver asks an aggregator over services that answer the files of testdata.
func dashboardOver(t *testing.T, files map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	services := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := files[r.URL.String()]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, filepath.Join("../testdata", file))
	}))
	t.Cleanup(services.Close)
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mobile/dashboard", http.NoBody)
	newAggregator(services.URL).ServeHTTP(recorder, request)
	return recorder
}
