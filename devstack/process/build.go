package process

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// The ports that FreeAddr gives lie below those that Linux takes for connections and for listeners that leave the port
// to it (32768 and up): between the moment that one was found free and the moment that it is listened to, nobody gets it
// by chance.
const (
	firstPort = 15_000
	lastPort  = 32_000
)

// FreeAddr returns an address that was free on all hosts a moment ago, as host:port of each, for programs that have to
// be told their port.
func FreeAddr(ctx context.Context, hosts ...string) ([]string, error) {
	const tries = 50
	var err error
	for range tries {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // no secret
		var addrs []string
		if addrs, err = freeAddr(ctx, hosts, strconv.Itoa(port)); err == nil {
			return addrs, nil
		}
	}
	return nil, err
}

func freeAddr(ctx context.Context, hosts []string, port string) (addrs []string, err error) {
	for _, host := range hosts {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }() // its port is free then
		addrs = append(addrs, listener.Addr().String())
	}
	return addrs, nil
}
