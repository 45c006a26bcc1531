package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheFixturesHaveTheSizesThatTheGoalsAreFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	total, err := writeFixtures(dir)
	if err != nil {
		t.Fatal(err)
	}
	if total != 6_308 {
		t.Errorf("together %d bytes, want 6308", total)
	}
	for file, want := range map[string]int64{"user.json": 368, "orders.json": 4_476, "metrics.json": 1_464} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() != want {
			t.Errorf("%s has %d bytes, want %d", file, info.Size(), want)
		}
	}
}
