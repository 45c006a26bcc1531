package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/process"
	"bff.internal/mockservices/identity"
)

// BFF is one of the three, and how scenarios meet it.
type BFF struct {
	// Name is that of its binary.
	Name string
	// Dashboard is the path of the answer that needs every service.
	Dashboard string
	// Socket is the path of its WebSocket; "" when it has none.
	Socket string

	env    func(r *Rig) []string
	caller func(ctx context.Context, r *Rig, n int) (http.Header, error)
}

// BFFs returns all of them.
func BFFs() []BFF {
	return []BFF{
		{
			Name: "bff-mobile", Dashboard: "/mobile/dashboard",
			env: func(*Rig) []string { return nil },
			caller: func(ctx context.Context, r *Rig, n int) (http.Header, error) {
				token, err := r.credentials().Token(ctx, fmt.Sprintf("caller-%d", n))
				return http.Header{"Authorization": {"Bearer " + token}}, err
			},
		},
		{
			Name: "bff-web", Dashboard: "/web/dashboard", Socket: "/web/ws",
			env: func(r *Rig) []string {
				return []string{"OIDC_CLIENT_SECRET=" + identity.DevWebSecret, "SESSION_KEYS=" + r.secret}
			},
			caller: func(ctx context.Context, r *Rig, n int) (http.Header, error) {
				cookie, err := r.credentials().SignIn(ctx, fmt.Sprintf("caller-%d", n))
				return http.Header{"Cookie": {cookie}, "X-Csrf": {"1"}}, err
			},
		},
		{
			Name: "bff-partner", Dashboard: "/partner/v1/dashboard",
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

// Replica is a running process of a BFF.
type Replica struct {
	*process.Process

	bff BFF
}

// ReplicaConfig says where a replica listens and how it stops.
type ReplicaConfig struct {
	// Name is that of its files: one name may be used again once the replica before it has ended.
	Name            string
	Addr, AdminAddr string
	DrainDelay      time.Duration
}

// StartReplica starts a BFF and returns once it says that it is ready. It ends with the rig.
func (r *Rig) StartReplica(ctx context.Context, b BFF, cfg ReplicaConfig) (*Replica, error) {
	env := append(r.issuerEnv(r.Identity.Addr),
		"ADDR="+cfg.Addr, "ADMIN_ADDR="+cfg.AdminAddr, r.redisEnv(),
		"EXTERNAL_URL="+r.site().String(), "TRUSTED_PROXIES=127.0.0.0/8",
		// The load comes from a few callers, and is about something else than their limits.
		"RATE_LIMIT=10000/1s", "RATE_BURST=10000",
		"DRAIN_DELAY="+cfg.DrainDelay.String(), "DRAIN_TIMEOUT=10s",
		"USERS_URLS=http://"+r.Users.Addr, "ORDERS_URLS=http://"+r.Orders.Addr, "ANALYTICS_URLS=http://"+r.Analytics.Addr)
	started, err := r.start(ctx, process.Program{
		Name: cfg.Name, Path: filepath.Join(r.cfg.Bin, b.Name), Env: append(env, b.env(r)...), Addr: cfg.Addr,
	})
	if err != nil {
		return nil, err
	}
	started.AdminAddr = cfg.AdminAddr
	replica := &Replica{Process: started, bff: b}
	return replica, WaitUntil(ctx, cfg.Name+" is ready", func(ctx context.Context) bool {
		return replica.Readiness(ctx) == "200"
	})
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
	return load.Plan{
		URL: "http://" + r.Site + b.Dashboard, Host: r.site().Host, Callers: callers,
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
