package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/process"
)

// How Caddy finds out that a replica is not ready: DRAIN_DELAY has to be longer than the probes that it takes.
const (
	ProbeInterval = 500 * time.Millisecond
	ProbeFails    = 2
)

// BehindCaddy returns so many addresses for replicas behind one Caddy, and their admin addresses. Caddy probes every
// upstream at its own host but at one port for all: so the replicas have hosts of their own and the ports in common.
// Nobody connects from these hosts, which keeps the ports free while a replica is away.
func BehindCaddy(ctx context.Context, count int) (addrs, adminAddrs []string, err error) {
	hosts := make([]string, count)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("127.0.0.%d", i+2)
	}
	if addrs, err = process.FreeAddr(ctx, hosts...); err == nil {
		adminAddrs, err = process.FreeAddr(ctx, hosts...)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("replicas on hosts 127.0.0.2 and up, which every Linux has: %w", err)
	}
	return addrs, adminAddrs, nil
}

// StartCaddy starts a Caddy at the site that spreads requests over the replicas, and sends none to one whose /readyz
// says 503. It tries no request twice, and judges nobody by how requests went. (Its policy round_robin answers 503 now
// and then while one of two replicas is away: of two requests at the same moment, one is offered that replica twice.)
func (r *Rig) StartCaddy(ctx context.Context, addrs, adminAddrs []string) (*process.Process, error) {
	if r.cfg.Caddy == "" {
		return nil, errors.New("no Caddy was looked for")
	}
	file := filepath.Join(r.cfg.Dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(caddyfile(r.Site, addrs, port(adminAddrs[0]))), 0o600); err != nil {
		return nil, err
	}
	return r.start(ctx, process.Program{
		Name: "caddy", Path: r.cfg.Caddy, Addr: r.Site,
		Args: []string{"run", "--adapter", "caddyfile", "--config", file},
		Env:  []string{"HOME=" + r.cfg.Dir, "XDG_DATA_HOME=" + r.cfg.Dir, "XDG_CONFIG_HOME=" + r.cfg.Dir},
	})
}

func caddyfile(site string, addrs []string, adminPort string) string {
	host, _, _ := net.SplitHostPort(site)
	return fmt.Sprintf(`{
	admin off
	auto_https off
	persist_config off
}
http://:%s {
	bind %s
	reverse_proxy %s {
		lb_policy least_conn
		lb_retries 0
		lb_try_duration 0
		health_uri /readyz
		health_port %s
		health_interval %s
		health_timeout 2s
		health_fails %d
		fail_duration 0
		# What the load sends in one piece goes on in one piece.
		request_buffers 1KB
		header_down %s {http.reverse_proxy.upstream.hostport}
		transport http {
			keepalive 60s
		}
	}
}
`, port(site), host, strings.Join(addrs, " "), adminPort, ProbeInterval, ProbeFails, load.ByHeader)
}

// port is that of host:port.
func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// FindCaddy finds the binary: the one that was asked for, or else that of the repository around dir, or else the one on
// the PATH. The error says how to get one.
func FindCaddy(asked, dir string) (string, error) {
	if asked != "" {
		return exec.LookPath(asked)
	}
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.work")); err == nil {
			if found, err := exec.LookPath(filepath.Join(root, ".bin", "caddy")); err == nil {
				return found, nil
			}
			break
		}
		if root == filepath.Dir(root) {
			break
		}
	}
	found, err := exec.LookPath("caddy")
	if err != nil {
		return "", errors.New(`there is no Caddy in .bin or on the PATH: "make tools" installs it (minutes, once), or -caddy says where it is`)
	}
	return found, nil
}
