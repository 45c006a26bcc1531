package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
)

// What the three services answer, as the clients of shared/clients read it: the sizes of real answers.
//
//go:embed testdata/user.json testdata/orders.json testdata/metrics.json
var fixtures embed.FS

// fixture is the answer of a service at a path. The query does not matter.
type fixture struct{ path, file string }

func services() []fixture {
	return []fixture{{"/users/me", "user.json"}, {"/orders", "orders.json"}, {"/metrics", "metrics.json"}}
}

// writeFixtures writes the answers into dir and returns how many bytes they are together.
func writeFixtures(dir string) (total int, err error) {
	for _, f := range services() {
		body, err := fixtures.ReadFile("testdata/" + f.file)
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(dir, f.file), body, 0o600); err != nil {
			return 0, fmt.Errorf("write a fixture: %w", err)
		}
		total += len(body)
	}
	return total, nil
}
