package process

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// Build builds main packages of this repository, named by their import paths, into dir, as a container image would have
// them: without cgo.
func Build(ctx context.Context, dir string, packages ...string) error {
	args := append([]string{"build", "-o", dir + string(filepath.Separator)}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // a directory and packages of ours
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build (it wants to run inside the repository): %w\n%s", err, bytes.TrimSpace(output))
	}
	return nil
}

// FreeAddr returns an address that was free on all hosts a moment ago, as host:port of each, for programs that have to
// be told their port.
func FreeAddr(ctx context.Context, hosts ...string) ([]string, error) {
	const tries = 20
	var err error
	for range tries {
		var addrs []string
		if addrs, err = freeAddr(ctx, hosts); err == nil {
			return addrs, nil
		}
	}
	return nil, err
}

func freeAddr(ctx context.Context, hosts []string) (addrs []string, err error) {
	port := "0"
	for _, host := range hosts {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }() // its port is free then
		addr := listener.Addr().String()
		if _, port, err = net.SplitHostPort(addr); err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}
