package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

// rolling is how replicas are restarted in turn.
type rolling struct {
	restarts   int // of both replicas together
	least      int // requests, at the least
	drainDelay time.Duration
}

const (
	rollingRate    = 300 // requests a second, far from what the machine could do
	rollingCallers = 8
	// rollingPause is how long a replica is away before the next one is started in its place, as in a deployment.
	rollingPause = 500 * time.Millisecond
	// enoughDelay is longer than Caddy takes to notice: the fails that it wants, an interval before the first, and as
	// much again for a machine that is busy.
	enoughDelay = 2 * (rig.ProbeFails + 1) * rig.ProbeInterval
)

// rollingRestart restarts the replicas of each BFF in turn, while Caddy spreads requests over them and repeats none. The
// naive build closes its listener the moment that it is told to stop.
func rollingRestart(ctx context.Context, r *rig.Rig, short bool) ([]figure, error) {
	var figures []figure
	for i, b := range rig.BFFs() {
		plan := rolling{restarts: 8, least: 20_000, drainDelay: enoughDelay}
		switch {
		case short && i > 0:
			plan.restarts, plan.least = 2, 2_500
		case short || i > 0: // what is behind all of them is the same
			plan.restarts, plan.least = 4, 5_000
		}
		ours, err := rollInPeace(ctx, r, b, plan)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", b.Name, err)
		}
		naive, err := roll(ctx, r, b, "-naive", rolling{restarts: 2})
		if err != nil {
			return figures, fmt.Errorf("%s, naively: %w", b.Name, err)
		}
		figures = append(figures, ours.figures(b, plan, naive)...)
	}
	return figures, nil
}

// rolled is what became of it.
type rolled struct {
	tally load.Tally
	ended int // replicas that ended with status 0
	plan  rolling
}

func (o rolled) figures(b rig.BFF, plan rolling, naive rolled) []figure {
	return []figure{
		{
			what:  b.Name + ": requests that failed",
			line:  fmt.Sprintf("0 of at least %d over %d restarts", plan.least, plan.restarts),
			ours:  measured{o.says(), o.tally.Failed() == 0 && o.tally.Total() >= plan.least},
			naive: measured{naive.says(), naive.tally.Lost == 0}, // only what nobody answered tells of a restart
		},
		{
			what: b.Name + ": replicas that ended with status 0",
			line: "all",
			ours: measured{fmt.Sprintf("%d of %d", o.ended, plan.restarts), o.ended == plan.restarts},
		},
	}
}

func (o rolled) says() string { return fmt.Sprintf("%v over %d restarts", o.tally, o.plan.restarts) }

// pair is two replicas of a BFF behind Caddy, and the load on them.
type pair struct {
	rig               *rig.Rig
	bff               rig.BFF
	addrs, adminAddrs []string
	replicas          [2]*rig.Replica
	load              *load.Load
	suffix            string // of the names of files
	plan              rolling
}

// rollInPeace takes another turn when this machine was busy with something else, which has made answers late: as long as
// every failure is the answer of a replica that missed something, that says nothing about restarts.
func rollInPeace(ctx context.Context, r *rig.Rig, b rig.BFF, plan rolling) (o rolled, err error) {
	const turns, busy = 3, 25 * time.Millisecond
	for turn := range turns {
		o, err = roll(ctx, r, b, "", plan)
		if err != nil || o.tally.Failed() == 0 || o.tally.Lost > 0 || o.tally.Lag < busy || turn == turns-1 {
			break
		}
		r.Tellf("%s: %v failed, every one answered by a replica; this machine is busy (requests were sent up to %.0f ms late): again",
			b.Name, o.tally, 1e3*o.tally.Lag.Seconds())
	}
	return o, err
}

// roll starts the pair, restarts both of it in turn under load, and stops everything.
func roll(ctx context.Context, r *rig.Rig, b rig.BFF, suffix string, plan rolling) (o rolled, err error) {
	p := &pair{rig: r, bff: b, suffix: suffix, plan: plan}
	o.plan = plan
	if p.addrs, p.adminAddrs, err = rig.BehindCaddy(ctx, len(p.replicas)); err != nil {
		return o, err
	}
	defer p.kill()
	for i := range p.replicas {
		if err := p.start(ctx, i); err != nil {
			return o, err
		}
	}
	caddy, err := r.StartCaddy(ctx, p.addrs, p.adminAddrs)
	if err != nil {
		return o, err
	}
	defer caddy.Kill()
	callers, err := r.Callers(ctx, b, rollingCallers)
	if err != nil {
		return o, err
	}
	p.load = load.Start(ctx, r.Dashboards(b, callers, rollingRate))
	defer p.load.Stop()
	for i := range plan.restarts {
		status, err := p.restart(ctx, i)
		if err != nil {
			return o, err
		}
		if status == 0 {
			o.ended++
		}
		// Restarts are spread over all of the requests.
		enough := plan.least * (i + 1) / plan.restarts
		err = rig.WaitUntil(ctx, "enough requests are answered", func(context.Context) bool { return p.load.Tally().Total() >= enough })
		if err != nil {
			return o, err
		}
	}
	o.tally = p.load.Stop()
	p.tell(o.tally)
	return o, nil
}

// start starts one of the two anew.
func (p *pair) start(ctx context.Context, i int) (err error) {
	p.replicas[i], err = p.rig.StartReplica(ctx, p.bff, rig.ReplicaConfig{
		Name: fmt.Sprintf("%s-%d%s", p.bff.Name, i+1, p.suffix), Addr: p.addrs[i], AdminAddr: p.adminAddrs[i], DrainDelay: p.plan.drainDelay,
	})
	return err
}

func (p *pair) kill() {
	for _, replica := range p.replicas {
		if replica != nil {
			replica.Kill()
		}
	}
}

// restart stops the one whose turn it is and starts it anew. It returns when Caddy sends to both.
func (p *pair) restart(ctx context.Context, turn int) (status int, err error) {
	i := turn % len(p.replicas)
	if err := p.inRotation(ctx); err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := p.replicas[i].Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	if status, err = rig.WaitExited(ctx, p.replicas[i].Process); err != nil {
		return 0, err
	}
	ended := time.Now()
	select {
	case <-time.After(rollingPause):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if err := p.start(ctx, i); err != nil {
		return 0, err
	}
	ready := time.Now()
	if err := p.inRotation(ctx); err != nil {
		return 0, err
	}
	p.rig.Tellf("%s-%d%s: SIGTERM at %.1f s, ended after %.1f s, ready after %.1f s more, in rotation after %.1f s more; so far %v failed",
		p.bff.Name, i+1, p.suffix, begun.Sub(p.load.Begun()).Seconds(), ended.Sub(begun).Seconds(), ready.Sub(ended).Seconds(), time.Since(ready).Seconds(), p.load.Tally())
	return status, nil
}

// inRotation waits until each of the two has answered a few more requests than before.
func (p *pair) inRotation(ctx context.Context) error {
	const more = 20
	before := p.load.Tally()
	for _, addr := range p.addrs {
		err := rig.WaitUntil(ctx, "Caddy sends to "+addr, func(context.Context) bool {
			return p.load.Tally().By[addr] >= before.By[addr]+more
		})
		if err != nil {
			return fmt.Errorf("%w; %v failed so far", err, p.load.Tally())
		}
	}
	return nil
}

// tell says what decides nothing: how long answers took, and when the first ones failed.
func (p *pair) tell(t load.Tally) {
	p.rig.Tellf("%s%s: answers took %.1f ms at p50, %.1f ms at p99, %.1f ms at most; requests were sent at most %.1f ms late", p.bff.Name, p.suffix,
		1e3*t.Quantile(0.5).Seconds(), 1e3*t.Quantile(0.99).Seconds(), 1e3*t.Quantile(1).Seconds(), 1e3*t.Lag.Seconds())
	for _, a := range t.First {
		p.rig.Tellf("%s%s: %s %s, sent at %.3f s, after %.1f ms", p.bff.Name, p.suffix, a.Kind, a.By, a.At.Seconds(), 1e3*a.Took.Seconds())
	}
}
