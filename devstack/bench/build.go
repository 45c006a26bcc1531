package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// build builds what is measured into dir, as a container image would have it: without cgo.
func build(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir+string(filepath.Separator), //nolint:gosec // a directory of ours
		"bff.internal/bff-mobile", "bff.internal/devstack/bench/bare", "bff.internal/devstack/bench/stub")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build (it wants to run inside the repository): %w\n%s", err, bytes.TrimSpace(output))
	}
	return nil
}
