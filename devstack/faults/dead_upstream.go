package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	deadCallers = 8
	deadRate    = 150
	// deadBefore is how long the service lives under load.
	deadBefore = 2 * time.Second
	// deadReach is how many calls may reach a service that is dead before its circuit is open.
	deadReach = 32
	// deadOpen is how long an open circuit is looked at: less than it stays open.
	deadOpen = 2 * time.Second
	// deadNaive is when the naive build has surely noticed, who does not say when.
	deadNaive = 1500 * time.Millisecond
)

// deadUpstream lets a service die, in two ways: connections are refused, or nothing is answered. Calls that reach it are
// counted until its circuit is open, answers are looked at while it is, and then the probes are counted. Last, clients
// leave and the service says 404, which means no death.
func deadUpstream(ctx context.Context, r *rig.Rig, short bool) ([]figure, error) {
	b := rig.BFFs()[0]
	callers, err := r.Callers(ctx, b, deadCallers)
	if err != nil {
		return nil, err
	}
	d := &deaths{rig: r, bff: b, callers: callers, short: short}
	hanging, figures, err := d.hanging(ctx)
	if err != nil {
		return nil, err
	}
	rested := time.Now().Add(deadRests)
	// While the circuit of the service that hangs rests, there is time for others.
	for _, part := range []func(context.Context) ([]figure, error){d.required, d.optional, d.innocent} {
		more, err := part(ctx)
		if err != nil {
			return figures, err
		}
		figures = append(figures, more...)
	}
	if err := pause(ctx, time.Until(rested)); err != nil {
		return figures, err
	}
	probed, err := d.probe(ctx, hanging)
	if err != nil {
		return figures, err
	}
	return append(figures, probeFigures(probed)...), nil
}

// deaths is what the parts of the scenario have in common.
type deaths struct {
	rig     *rig.Rig
	bff     rig.BFF
	callers []http.Header
	short   bool
}

// death is what clients noticed of it.
type death struct {
	until load.Tally // from the death on, before the circuit was seen open
	open  load.Tally // from then on
	calls int        // that reached the stand-in
	took  time.Duration
}

// hanging lets a service take calls and answer none. The target is left with its circuit open.
func (d *deaths) hanging(ctx context.Context) (ours *target, figures []figure, err error) {
	both, err := aim{name: "hanging", bff: d.bff, service: rig.Users}.startBoth(ctx, d.rig, d.callers)
	if err != nil {
		return nil, nil, err
	}
	defer both.naive.end()
	o, n, err := d.die(ctx, both, rig.Users, func(t *target) error { return d.rig.Fault(ctx, t.standIn, `{"hang":true}`) })
	if err != nil {
		return nil, nil, fmt.Errorf("a required service hangs: %w", err)
	}
	d.tell("a required service hangs", o)
	return both.ours, hangingFigures(o, n), nil
}

// required lets a service refuse connections that every answer needs.
func (d *deaths) required(ctx context.Context) ([]figure, error) {
	o, n, err := d.refuse(ctx, "a required service refuses", aim{name: "required", bff: d.bff, service: rig.Users})
	return requiredFigures(o, n), err
}

// optional lets a service refuse connections that answers can do without.
func (d *deaths) optional(ctx context.Context) ([]figure, error) {
	o, n, err := d.refuse(ctx, "an optional service refuses", aim{name: "optional", bff: d.bff, service: rig.Orders})
	return optionalFigures(o, n), err
}

func (d *deaths) refuse(ctx context.Context, what string, a aim) (ours, naive death, err error) {
	both, err := a.startBoth(ctx, d.rig, d.callers)
	if err != nil {
		return ours, naive, err
	}
	defer both.end()
	ours, naive, err = d.die(ctx, both, a.service, func(t *target) error { return t.link.Down() })
	if err != nil {
		return ours, naive, fmt.Errorf("%s: %w", what, err)
	}
	d.tell(what, ours)
	return ours, naive, nil
}

// die has both builds meet the same death.
func (d *deaths) die(ctx context.Context, both builds, service rig.Service, kill func(t *target) error) (ours, naive death, err error) {
	err = both.each(func(t *target) (err error) {
		if t == both.ours {
			ours, err = d.meet(ctx, t, kill, func() error {
				return rig.WaitUntil(ctx, "the circuit opens", func(ctx context.Context) bool {
					return t.Circuits(ctx, service)[t.link.Addr()] == circuitOpen
				})
			})
			return err
		}
		naive, err = d.meet(ctx, t, kill, func() error { return pause(ctx, deadNaive) })
		return err
	})
	return ours, naive, err
}

// circuitOpen is the state of a circuit.
const circuitOpen = 2

// meet loads the target, kills its service, and goes on for a while when that is noticed.
func (d *deaths) meet(ctx context.Context, t *target, kill func(t *target) error, noticed func() error) (o death, err error) {
	const ever = time.Hour
	l := load.Start(ctx, t.Dashboards(d.callers, deadRate))
	defer l.Stop()
	if err := pause(ctx, deadBefore); err != nil {
		return o, err
	}
	if err := d.rig.ForgetCalls(ctx, t.standIn); err != nil {
		return o, err
	}
	died := time.Since(l.Begun())
	if err := kill(t); err != nil {
		return o, err
	}
	if err := noticed(); err != nil {
		return o, fmt.Errorf("%w; %v failed", err, l.Tally())
	}
	seen := time.Since(l.Begun())
	if err := pause(ctx, deadOpen); err != nil {
		return o, err
	}
	tally := l.Stop()
	counted, err := d.rig.Calls(ctx, t.standIn)
	return death{until: tally.Between(died, seen), open: tally.Between(seen, ever), calls: counted.Calls, took: seen - died}, err
}

func (d *deaths) tell(what string, o death) {
	d.rig.Tellf("%s: its circuit was seen open after %s (at most 1 s); until then %v failed; while it was open, answers took %s at p50 and %s at p99 (at most 5 ms)",
		what, milliseconds(o.took), o.until, milliseconds(o.open.Quantile(0.5)), milliseconds(o.open.Quantile(0.99)))
}
