package platform_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/platform"
	"bff.internal/shared/secret"
)

func TestUsageIsTheConfiguration(t *testing.T) {
	t.Parallel()
	cfg := newServiceConfig()
	cfg.Users.URLs = []string{"http://a:1", "http://b:2"}
	cfg.Keys = []secret.String{secret.New("hunter2")}
	var usage bytes.Buffer
	platform.Usage(&usage, "bff-test", &cfg)

	const golden = "testdata/usage.txt"
	if update := flag.Lookup("update"); update != nil && update.Value.String() == "true" {
		if err := os.WriteFile(golden, usage.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), usage.String()); diff != "" {
		t.Errorf("not as in %s; go test -update writes it (-want +got):\n%s", golden, diff)
	}
	for line := range strings.Lines(usage.String()) {
		if utf8.RuneCountInString(line) > 101 && len(strings.Fields(line)) > 1 && !strings.Contains(line, "redis+") {
			t.Errorf("a line is too long: %s", line)
		}
	}
}
