package rig

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"

	"bff.internal/devstack/process"
)

const (
	toxiproxyPackage = "github.com/Shopify/toxiproxy/v2/cmd/server"
	toxiproxyBinary  = "server" // as go build calls it
)

// Link is a network between a stand-in and whoever connects to it here: one that can break. Its methods return when it
// has broken, for connections that are open as well, and are for one goroutine.
type Link struct {
	proxy  *toxiproxy.Proxy
	broken bool // by a toxic
}

// Between makes a link to a stand-in, through one process for all links of the rig.
func (r *Rig) Between(ctx context.Context, standIn *process.Process) (*Link, error) {
	if err := r.startToxiproxy(ctx); err != nil {
		return nil, err
	}
	// While the link is down nobody listens to its port, which is not to be somebody else's by chance.
	addrs, err := process.FreeAddr(ctx, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	return newLink(r.toxics, standIn.Name, addrs[0], standIn.Addr)
}

func (r *Rig) startToxiproxy(ctx context.Context) error {
	if r.toxics != nil {
		return nil
	}
	addrs, err := process.FreeAddr(ctx, "127.0.0.1")
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(addrs[0])
	if err != nil {
		return err
	}
	_, err = r.start(ctx, process.Program{
		Name: "toxiproxy", Path: filepath.Join(r.cfg.Bin, toxiproxyBinary), Addr: addrs[0],
		Args: []string{"-host", host, "-port", port}, Env: []string{"LOG_LEVEL=error"},
	})
	if err != nil {
		return err
	}
	r.toxics = toxiproxy.NewClient(addrs[0])
	return nil
}

func newLink(toxics *toxiproxy.Client, name, addr, standIn string) (*Link, error) {
	proxy, err := toxics.CreateProxy(name, addr, standIn)
	if err != nil {
		return nil, fmt.Errorf("a link to %s: %w", name, err)
	}
	return &Link{proxy: proxy}, nil
}

// URL is the base URL of the stand-in beyond the link.
func (l *Link) URL() string { return "http://" + l.Addr() }

// Addr is host:port of it.
func (l *Link) Addr() string { return l.proxy.Listen }

// Slow makes every piece of an answer take so much longer.
func (l *Link) Slow(by time.Duration) error {
	return l.breaks("latency", "downstream", toxiproxy.Attributes{"latency": by.Milliseconds()})
}

// BlackHole swallows what is sent to the stand-in. Connections are accepted, and nothing ever comes back.
func (l *Link) BlackHole() error {
	return l.breaks("timeout", "upstream", toxiproxy.Attributes{"timeout": 0})
}

// Reset makes connections break as soon as something is sent to the stand-in.
func (l *Link) Reset() error {
	return l.breaks("reset_peer", "upstream", toxiproxy.Attributes{"timeout": 0})
}

// Down breaks all connections and refuses new ones.
func (l *Link) Down() error {
	if err := l.Heal(); err != nil {
		return err
	}
	return l.proxy.Disable()
}

// Heal makes the link whole again. What was swallowed stays so: its connections break.
func (l *Link) Heal() error {
	if l.broken {
		if err := l.proxy.RemoveToxic(toxic); err != nil {
			return err
		}
		l.broken = false
	}
	if l.proxy.Enabled {
		return nil
	}
	return l.proxy.Enable()
}

// toxic is the name of the only one that a link has at a time.
const toxic = "broken"

// breaks makes the link broken in one way, and in no other.
func (l *Link) breaks(kind, direction string, how toxiproxy.Attributes) error {
	if err := l.Heal(); err != nil {
		return err
	}
	_, err := l.proxy.AddToxic(toxic, kind, direction, 1, how)
	l.broken = err == nil
	return err
}
