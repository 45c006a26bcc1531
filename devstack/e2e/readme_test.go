package e2e_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"bff.internal/devstack/stack"
)

// TestTheBlocksOfTheREADMEWorkAsPasted runs each block of shell by itself, on the ports of this stack.
func TestTheBlocksOfTheREADMEWorkAsPasted(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	cfg := stack.FreePorts()
	cfg.Upstream.CacheBytes = 1 << 20
	s := startWith(t, cfg)
	here := strings.NewReplacer(
		"http://localhost:8080", s.Edge, "http://localhost:9081", s.MobileAdmin,
		"http://localhost:9001", s.Users, "http://localhost:9002", s.Orders, "http://localhost:9003", s.Analytics,
		"redis://localhost:6390", s.RedisURL.Reveal(),
	)
	says := []string{ // what each block prints, in their order
		`{"user":{"id":"ada"`,
		"Server-Timing: user;dur=",
		"Bff-Partial: metrics;reason=timeout",
		`"_meta":{"sections":{"activeOrders":{"status":"stale"`,
		"HTTP/1.1 304",
		`"services": [`,
		`"code":"bad_answer"`,
		"HTTP/1.1 401",
		`"series":[{"date"`,
		`"status":"placed"`,
		`{"user":{"id":"acme"`,
		"from the README",
		"title: Mobile BFF",
		"http_request_duration_seconds_count{",
	}
	blocks := strings.Split(string(readme), "```sh\n")[1:]
	if len(blocks) != len(says) {
		t.Fatalf("%d blocks, and %d expectations", len(blocks), len(says))
	}
	for i, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", here.Replace(block))
		command.Dir = "../.."
		printed, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(printed), says[i]) {
			t.Errorf("%v\n%s\nprinted %s\nwant %q", err, block, printed, says[i])
		}
	}
}
