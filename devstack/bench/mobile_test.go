package main

import (
	"bufio"
	"bytes"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/shared/platform"
)

var update = flag.Bool("update", false, "write testdata/answer.json anew")

// The test of bare wants the same file, so the two answer the same bytes.
func TestBffMobileAnswersTheFixturesAsBareDoes(t *testing.T) {
	t.Parallel()
	around, err := openSurroundings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(around.close)
	upstream := httptest.NewServer(http.HandlerFunc(serveFixtures))
	t.Cleanup(upstream.Close)

	answer := dashboard(t, around, around.mobileEnv(upstream.URL))
	if answer.Code != http.StatusOK || answer.Header().Get("Bff-Partial") != "" {
		t.Fatalf("answered %d %s", answer.Code, answer.Body)
	}
	if *update {
		if err := os.WriteFile("testdata/answer.json", answer.Body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/answer.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), answer.Body.String()); diff != "" {
		t.Errorf("bff-mobile answers differently (-want +got); go test ./devstack/bench -update, then bring bare in line:\n%s", diff)
	}
}

func serveFixtures(w http.ResponseWriter, r *http.Request) {
	for _, f := range services() {
		if f.path == r.URL.Path {
			http.ServeFile(w, r, filepath.Join("testdata", f.file))
			return
		}
	}
	http.NotFound(w, r)
}

// dashboard asks bff-mobile in this process, configured by the environment that its process gets.
func dashboard(t *testing.T, around *surroundings, env []string) *httptest.ResponseRecorder {
	t.Helper()
	cfg := mobile.DefaultConfig()
	if err := platform.Load(&cfg, env); err != nil {
		t.Fatal(err)
	}
	p, err := platform.Open(t.Context(), cfg.Platform, "bff-mobile", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	requests, err := around.requests("localhost:8080", 1)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(requests[0])))
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	mobile.New(cfg, p).ServeHTTP(recorder, request.WithContext(t.Context()))
	return recorder
}
