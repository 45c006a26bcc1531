package main

import (
	"context"
	"fmt"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	// deadProbes is how many of so many concurrent callers a circuit that is half open lets through.
	deadProbes, deadConcurrent = 3, 1000
	// deadRests is how long an open circuit lets nobody through, and a little more.
	deadRests = 5500 * time.Millisecond
	// leaveAfter is how long clients wait who leave: long enough for their calls to be under way.
	leaveAfter = 30 * time.Millisecond
)

// probing is what became of many callers at once, and of the calls among them that went through.
type probing struct {
	answers load.Tally
	calls   int
}

// probe sends many requests at once to a target whose circuit has rested. Its service hangs, so whoever is let through
// is still there when the last caller comes.
func (d *deaths) probe(ctx context.Context, t *target) (o probing, err error) {
	if err := d.rig.ForgetCalls(ctx, t.standIn); err != nil {
		return o, err
	}
	const atOnce = 100_000 // a second, which is as fast as it goes
	plan := t.Dashboards(d.callers, atOnce)
	plan.Most, plan.InFlight = deadConcurrent, deadConcurrent
	o.answers = load.Start(ctx, plan).Finish()
	counted, err := d.rig.Calls(ctx, t.standIn)
	o.calls = counted.Calls
	return o, err
}

// innocent has clients leave early, and then the service answer 404. Neither says that it is dead.
func (d *deaths) innocent(ctx context.Context) ([]figure, error) {
	cancelled, denied := 10_000, 2_000
	if d.short {
		cancelled, denied = 1_000, 400
	}
	both, err := aim{name: "innocent", bff: d.bff, service: rig.Users}.startBoth(ctx, d.rig, d.callers)
	if err != nil {
		return nil, err
	}
	defer both.end()
	left := innocence{fault: `{"hang":true}`, kind: "late", count: cancelled, change: func(p *load.Plan) { p.Within, p.Bare, p.Fresh = leaveAfter, true, true }}
	oursLeft, naiveLeft, err := d.stay(ctx, both, left)
	if err != nil {
		return nil, fmt.Errorf("clients that leave: %w", err)
	}
	oursDenied, _, err := d.stay(ctx, both, innocence{fault: `{"status":404}`, kind: "404 not_found", count: denied, change: func(*load.Plan) {}})
	if err != nil {
		return nil, fmt.Errorf("answers 404: %w", err)
	}
	return innocentFigures(cancelled, denied, oursLeft, naiveLeft, oursDenied), nil
}

// innocence is something that opens no circuit.
type innocence struct {
	fault  string
	kind   string // of every answer
	count  int    // of requests
	change func(p *load.Plan)
}

// stay has both builds meet it, and returns how a few requests were answered when it was over.
func (d *deaths) stay(ctx context.Context, both builds, i innocence) (ours, naive load.Tally, err error) {
	err = both.each(func(t *target) error {
		if err := d.rig.Fault(ctx, t.standIn, i.fault); err != nil {
			return err
		}
		plan := t.Dashboards(d.callers, 2*deadRate)
		plan.Most = i.count
		i.change(&plan)
		// The circuit of the naive build opens long before the end.
		if tally := load.Start(ctx, plan).Finish(); t == both.ours && tally.Kinds[i.kind] != i.count {
			return fmt.Errorf("not all were answered %q: %v failed", i.kind, tally)
		}
		if err := d.rig.Fault(ctx, t.standIn, ""); err != nil {
			return err
		}
		few := t.Dashboards(d.callers, deadRate)
		few.Most = deadAfterwards
		tally := load.Start(ctx, few).Finish()
		if t == both.ours {
			ours = tally
		} else {
			naive = tally
		}
		return nil
	})
	return ours, naive, err
}

// deadAfterwards is how many requests are sent to see whether a circuit has opened.
const deadAfterwards = 20
