package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/process"
	"bff.internal/mockservices/identity"
)

// BFF is one of the three, and how scenarios meet it.
type BFF struct {
	// Name is that of its binary.
	Name string
	// Dashboard is the path of the answer that asks every service, and Within how long that takes at most.
	Dashboard string
	Within    time.Duration
	// Contract is the path of an answer that asks nobody.
	Contract string
	// Socket is the path of its WebSocket; "" when it has none.
	Socket string

	requires []Service // for its dashboard
	env      func(r *Rig) []string
	caller   func(ctx context.Context, r *Rig, n int) (http.Header, error)
}

// BFFs returns all of them.
func BFFs() []BFF {
	return []BFF{
		{
			Name: "bff-mobile", Dashboard: "/mobile/dashboard", Contract: "/mobile/openapi.yaml",
			Within: 800 * time.Millisecond, requires: []Service{Users},
			env: func(*Rig) []string { return nil },
			caller: func(ctx context.Context, r *Rig, n int) (http.Header, error) {
				token, err := r.credentials().Token(ctx, fmt.Sprintf("caller-%d", n))
				return http.Header{"Authorization": {"Bearer " + token}}, err
			},
		},
		{
			Name: "bff-web", Dashboard: "/web/dashboard", Contract: "/web/openapi.yaml", Socket: "/web/ws",
			Within: 1500 * time.Millisecond, requires: []Service{Users},
			env: func(r *Rig) []string {
				return []string{"OIDC_CLIENT_SECRET=" + identity.DevWebSecret, "SESSION_KEYS=" + r.secret}
			},
			caller: func(ctx context.Context, r *Rig, n int) (http.Header, error) {
				cookie, err := r.credentials().SignIn(ctx, fmt.Sprintf("caller-%d", n))
				return http.Header{"Cookie": {cookie}, "X-Csrf": {"1"}}, err
			},
		},
		{
			Name: "bff-partner", Dashboard: "/partner/v1/dashboard", Contract: "/partner/openapi.yaml",
			Within: 2 * time.Second, requires: []Service{Users, Orders},
			env: func(r *Rig) []string {
				return []string{"OIDC_CLIENT_SECRET=" + identity.DevPartnerSecret, "KEY_PEPPER=" + r.secret}
			},
			caller: func(ctx context.Context, r *Rig, n int) (http.Header, error) {
				key, err := r.partnerKey(ctx, fmt.Sprintf("partner-%d", n))
				return http.Header{"Authorization": {"Bearer " + key}}, err
			},
		},
	}
}

// Requires reports whether there is no dashboard without the service.
func (b BFF) Requires(s Service) bool { return slices.Contains(b.requires, s) }

// Replica is a running process of a BFF.
type Replica struct {
	*process.Process

	bff  BFF
	host string // by which clients call it
}

// ReplicaConfig says where a replica listens, whom it asks, and how it stops. Only its Name is required.
type ReplicaConfig struct {
	// Name is that of its files: one name may be used again once the replica before it has ended.
	Name string
	// Addr and AdminAddr are where it listens; "" is an address of its own.
	Addr, AdminAddr string
	DrainDelay      time.Duration
	// Asks holds the base URLs of a service's replicas; without an entry they are that of the rig's own stand-in.
	Asks map[Service][]string
	// Naive starts the naive build instead.
	Naive bool
}

// StartReplica starts a BFF and returns once it says that it is ready. It ends with the rig.
func (r *Rig) StartReplica(ctx context.Context, b BFF, cfg ReplicaConfig) (*Replica, error) {
	for _, addr := range []*string{&cfg.Addr, &cfg.AdminAddr} {
		if *addr == "" {
			free, err := process.FreeAddr(ctx, "127.0.0.1")
			if err != nil {
				return nil, err
			}
			*addr = free[0]
		}
	}
	program := process.Program{
		Name: cfg.Name, Path: filepath.Join(r.cfg.Bin, b.Name), Env: r.replicaEnv(b, cfg), Addr: cfg.Addr,
	}
	if cfg.Naive {
		program.Path, program.Args = filepath.Join(r.cfg.Bin, "naive"), []string{b.Name}
	}
	started, err := r.start(ctx, program)
	if err != nil {
		return nil, err
	}
	started.AdminAddr = cfg.AdminAddr
	replica := &Replica{Process: started, bff: b, host: r.site().Host}
	return replica, WaitUntil(ctx, cfg.Name+" is ready", func(ctx context.Context) bool {
		return replica.Readiness(ctx) == "200"
	})
}

// replicaEnv is all that a replica is told.
func (r *Rig) replicaEnv(b BFF, cfg ReplicaConfig) []string {
	env := append(r.issuerEnv(r.Identity.Addr),
		"ADDR="+cfg.Addr, "ADMIN_ADDR="+cfg.AdminAddr, r.redisEnv(),
		"EXTERNAL_URL="+r.site().String(), "TRUSTED_PROXIES=127.0.0.0/8",
		// The load comes from a few callers, and is about something else than their limits.
		"RATE_LIMIT=10000/1s", "RATE_BURST=10000",
		// What is asked for is asked of the services: they are what it is about.
		"CACHE_BYTES=0",
		"DRAIN_DELAY="+cfg.DrainDelay.String(), "DRAIN_TIMEOUT=10s")
	for service, standIn := range map[Service]*process.Process{Users: r.Users, Orders: r.Orders, Analytics: r.Analytics} {
		urls := cfg.Asks[service]
		if len(urls) == 0 {
			urls = []string{"http://" + standIn.Addr}
		}
		env = append(env, strings.ToUpper(string(service))+"_URLS="+strings.Join(urls, ","))
	}
	return slices.Concat(env, b.env(r))
}

// Callers returns the headers of so many callers who are let in at the site, where the BFF has to be there already.
func (r *Rig) Callers(ctx context.Context, b BFF, count int) ([]http.Header, error) {
	callers := make([]http.Header, count)
	for i := range callers {
		var err error
		if callers[i], err = b.caller(ctx, r, i); err != nil {
			return nil, fmt.Errorf("a caller of %s: %w", b.Name, err)
		}
	}
	return callers, nil
}

// Dashboards is a plan for a load of so many requests a second for the BFF's dashboard, by way of the site.
func (r *Rig) Dashboards(b BFF, callers []http.Header, rate int) load.Plan {
	return plan(r.Site, r.site().Host, b.Dashboard, callers, rate)
}

// Gets is a plan for a load of so many requests a second for the path, past the site. A caller may be nil, who is
// nobody.
func (r *Replica) Gets(path string, callers []http.Header, rate int) load.Plan {
	return plan(r.Addr, r.host, path, callers, rate)
}

// Dashboards is a plan for a load of so many requests a second for the replica's dashboard, past the site.
func (r *Replica) Dashboards(callers []http.Header, rate int) load.Plan {
	return r.Gets(r.bff.Dashboard, callers, rate)
}

func plan(addr, host, path string, callers []http.Header, rate int) load.Plan {
	return load.Plan{
		URL: "http://" + addr + path, Host: host, Callers: callers,
		Rate: rate, InFlight: 2 * rate, Within: 10 * time.Second,
	}
}

// partnerKey makes an API key as an operator does.
func (r *Rig) partnerKey(ctx context.Context, partner string) (string, error) {
	var output, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(r.cfg.Bin, "bff-partner"), "keys", "create", "--partner", partner, "--output", "json") //nolint:gosec // built a moment ago
	cmd.Env = []string{r.redisEnv(), "KEY_PEPPER=" + r.secret}
	cmd.Stdout, cmd.Stderr = &output, &complaints
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("bff-partner keys create: %w: %s", err, &complaints)
	}
	var made struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(output.Bytes(), &made); err != nil {
		return "", fmt.Errorf("bff-partner keys create: %w", err)
	}
	return made.Key, nil
}
