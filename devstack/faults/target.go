package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
	"bff.internal/devstack/process"
)

// target is a replica of a BFF that reaches one of its services over a link: a stand-in that nobody else asks.
type target struct {
	*rig.Replica

	standIn *process.Process
	link    *rig.Link
}

// aim says what a target is.
type aim struct {
	name    string // of the scenario's part, for the names of files
	bff     rig.BFF
	service rig.Service
	fault   string // of the stand-in, from the beginning; "" is none
	addr    string // where the replica listens; "" is an address of its own
	naive   bool
}

func (a aim) suffix() string {
	if a.naive {
		return a.name + "-naive"
	}
	return a.name
}

// start starts the target. It ends with the rig.
func (a aim) start(ctx context.Context, r *rig.Rig) (t *target, err error) {
	t = &target{}
	if t.standIn, err = r.StartStandIn(ctx, a.service, fmt.Sprintf("%s-%s-%s", a.service, a.bff.Name, a.suffix())); err != nil {
		return nil, err
	}
	if a.fault != "" {
		err = r.Fault(ctx, t.standIn, a.fault)
	}
	if err == nil {
		t.link, err = r.Between(ctx, t.standIn)
	}
	if err != nil {
		return nil, err
	}
	t.Replica, err = r.StartReplica(ctx, a.bff, rig.ReplicaConfig{
		Name: a.bff.Name + "-" + a.suffix(), Addr: a.addr, Naive: a.naive, Asks: map[rig.Service][]string{a.service: {t.link.URL()}},
	})
	return t, err
}

// end ends what the target consists of.
func (t *target) end() {
	t.Kill()
	t.standIn.Kill()
}

// whole sends a few requests, which have to be answered well.
func (t *target) whole(ctx context.Context, callers []http.Header) error {
	const few, rate = 10, 40
	plan := t.Dashboards(callers, rate)
	plan.Most = few
	if tally := load.Start(ctx, plan).Finish(); tally.Failed() > 0 {
		return fmt.Errorf("%s: with nothing broken %v failed", t.Name, tally)
	}
	return nil
}

// builds is a target, and the same of the naive build.
type builds struct{ ours, naive *target }

// startBoth starts what the aim says of both builds. They answer.
func (a aim) startBoth(ctx context.Context, r *rig.Rig, callers []http.Header) (b builds, err error) {
	if b.ours, err = a.start(ctx, r); err != nil {
		return b, err
	}
	a.naive = true
	if b.naive, err = a.start(ctx, r); err != nil {
		return b, err
	}
	return b, b.each(func(t *target) error { return t.whole(ctx, callers) })
}

// each calls f for both at the same time, so that they meet the same conditions.
func (b builds) each(f func(t *target) error) error {
	var both errgroup.Group
	both.Go(func() error { return f(b.ours) })
	both.Go(func() error {
		if err := f(b.naive); err != nil {
			return fmt.Errorf("naively: %w", err)
		}
		return nil
	})
	return both.Wait()
}

// end ends both.
func (b builds) end() {
	b.ours.end()
	b.naive.end()
}

// pause lets time go by.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// milliseconds is a time as it is printed.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", 1e3*d.Seconds()) }
