package derive_test

import (
	"testing"

	"bff.internal/mockservices/internal/derive"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	text := func(seed ...string) string { return derive.From(seed...).Text("0123456789abcdef", 16) }
	// Pinned: the same seed gives the same in every process, and with the next version of Go too.
	if got, want := text("user", "ada"), "554efdea26c984a4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	seen := map[string]bool{}
	for _, seed := range [][]string{{"user", "ada"}, {"user", "adb"}, {"use", "rada"}, {"userada"}, {"user", "ada", ""}, {}} {
		seen[text(seed...)] = true
	}
	if len(seen) != 6 {
		t.Errorf("six seeds give %d different texts", len(seen))
	}
}
