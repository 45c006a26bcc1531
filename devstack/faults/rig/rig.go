// Package rig is what scenarios of faults are made of: the suite as processes of their own. A Rig has a real Redis and
// the stand-ins; a scenario starts the replicas that it wants, and a Caddy in front of them.
package rig

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"sync"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"

	"bff.internal/devstack/credentials"
	"bff.internal/devstack/process"
	"bff.internal/mockservices/identity"
)

// Config is what a rig needs.
type Config struct {
	// Bin holds the binaries that Build made.
	Bin string
	// Dir is an empty directory for the files of the processes. The rig does not remove it.
	Dir string
	// Caddy is the path of the binary.
	Caddy string
	// Say is told how far things are.
	Say io.Writer
}

// Build builds what a rig starts into dir.
func Build(ctx context.Context, dir string) error {
	bffs := BFFs()
	packages := make([]string, 0, 3+len(bffs))
	packages = append(packages, "bff.internal/mockservices", "bff.internal/devstack/faults/naive", toxiproxyPackage)
	for _, b := range bffs {
		packages = append(packages, "bff.internal/"+b.Name)
	}
	return process.Build(ctx, dir, packages...)
}

// Rig is a running suite without BFFs. Who opens it closes it. Its methods are for one goroutine, unless they say so.
type Rig struct {
	// Site is host:port where clients come in: for a Caddy, or for the only replica.
	Site string
	// Redis is the process that REDIS_URL names.
	Redis *process.Process
	// The stand-ins, which break by Fault.
	Identity, Users, Orders, Analytics *process.Process

	cfg    Config
	owned  []*process.Process
	secret string            // of 32 bytes in base64, for whoever needs one
	toxics *toxiproxy.Client // nil until the first link
}

// Open starts Redis and the stand-ins. The error holds the last words of whatever did not start; then nothing runs.
func Open(ctx context.Context, cfg Config) (*Rig, error) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	r := &Rig{cfg: cfg, secret: base64.StdEncoding.EncodeToString(random[:])}
	for _, step := range []func(context.Context) error{r.reserveSite, r.startRedis, r.startStandIns} {
		if err := step(ctx); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// Close ends every process and waits for its end. None of them gets the time to end well: a scenario that wants to see
// that has seen it.
func (r *Rig) Close() {
	var ending sync.WaitGroup
	for _, p := range r.owned {
		ending.Go(p.Kill)
	}
	ending.Wait()
	r.owned = nil
}

// Tellf says how far things are.
func (r *Rig) Tellf(format string, args ...any) {
	_, _ = fmt.Fprintf(r.cfg.Say, "  "+format+"\n", args...)
}

// start starts a process that the rig owns.
func (r *Rig) start(ctx context.Context, p process.Program) (*process.Process, error) {
	p.Dir = r.cfg.Dir
	started, err := process.Start(ctx, p)
	if err != nil {
		return nil, err
	}
	r.owned = append(r.owned, started)
	return started, nil
}

func (r *Rig) reserveSite(ctx context.Context) error {
	addrs, err := process.FreeAddr(ctx, "127.0.0.1")
	if err != nil {
		return err
	}
	r.Site = addrs[0]
	return nil
}

func (r *Rig) startRedis(ctx context.Context) error {
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		return errors.New("there is no redis-server on the PATH; install the package redis-server")
	}
	addrs, err := process.FreeAddr(ctx, "127.0.0.1")
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(addrs[0])
	if err != nil {
		return err
	}
	r.Redis, err = r.start(ctx, process.Program{
		Name: "redis", Path: redis, Addr: addrs[0], Args: []string{"--bind", host, "--port", port, "--save", ""},
	})
	return err
}

// site is where clients come in, by the name that browsers use.
func (r *Rig) site() *url.URL { return named(r.Site) }

// named is the URL of a server of this machine by the name localhost.
func named(addr string) *url.URL {
	return &url.URL{Scheme: "http", Host: "localhost:" + port(addr)}
}

func (r *Rig) redisEnv() string { return "REDIS_URL=redis://" + r.Redis.Addr }

func (*Rig) issuerEnv(identityAddr string) []string {
	return []string{"ISSUER=" + named(identityAddr).String(), "ISSUER_INTERNAL_URL=http://" + identityAddr}
}

// credentials is what signs users in by way of the site.
func (r *Rig) credentials() *credentials.Handler {
	return credentials.New(credentials.Config{
		Edge:           *r.site(),
		EdgeInternal:   url.URL{Scheme: "http", Host: r.Site},
		Issuer:         *named(r.Identity.Addr),
		IssuerInternal: url.URL{Scheme: "http", Host: r.Identity.Addr},
		Password:       identity.DevPassword,
	})
}
