package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
	"bff.internal/devstack/process"
)

const (
	hedgedReplicas = 3
	hedgedRate     = 150
	hedgedCallers  = 8
	// hedgedWarm is not judged: nobody knows yet how long an answer usually takes.
	hedgedWarm = 2 * time.Second
	// mostHedged is how many calls more than without hedging there may be, of all.
	mostHedged = 0.05
	// leastLeft is how many of them end without an answer: in a few races, both come at once.
	leastLeft = 0.9
	// The usual latency is so long that a race that is over leaves somebody behind; the slow one is not so long that it
	// looks like a service with too much to do.
	usual   = `"latency":"30ms"`
	allSlow = `{"latency":"60ms"}`
)

// hedging makes a few answers of a service late, and then all of them. The naive build waits for each.
func hedging(ctx context.Context, r *rig.Rig, short bool) ([]figure, error) {
	judged := 20 * time.Second
	if short {
		judged = 6 * time.Second
	}
	h := &hedger{rig: r, bff: rig.BFFs()[0], judged: judged}
	var err error
	if h.callers, err = r.Callers(ctx, h.bff, hedgedCallers); err != nil {
		return nil, err
	}
	for i := range hedgedReplicas {
		replica, err := r.StartStandIn(ctx, rig.Users, fmt.Sprintf("users-%d", i+1))
		if err != nil {
			return nil, err
		}
		h.users = append(h.users, replica)
	}
	few := func(i int) string {
		return fmt.Sprintf(`{%s,"stragglers":0.02,"straggle":"500ms","seed":%d}`, usual, i+1)
	}
	none := func(int) string { return "{" + usual + "}" }
	ours, err := h.measure(ctx, few, few, false)
	if err != nil {
		return nil, err
	}
	naive, err := h.measure(ctx, few, few, true)
	if err != nil {
		return nil, fmt.Errorf("naively: %w", err)
	}
	all, err := h.measure(ctx, none, func(int) string { return allSlow }, false)
	if err != nil {
		return nil, fmt.Errorf("all slow: %w", err)
	}
	return hedgedFigures(ours, naive, all), nil
}

// hedged is what became of a load.
type hedged struct {
	tally       load.Tally
	p99         time.Duration // while it was judged
	calls, left int           // at all replicas
}

func hedgedFigures(ours, naive, all hedged) []figure {
	half := naive.p99 / 2
	return []figure{
		{
			"2 % are 500 ms late: p99 of the dashboard", "≤ half of the naive build's",
			measured{milliseconds(ours.p99), ours.p99 <= half},
			measured{milliseconds(naive.p99), naive.p99 <= half},
		},
		{what: "2 % are 500 ms late: dashboards that are not whole", line: "0", ours: measured{ours.tally.String(), ours.tally.Failed() == 0}},
		{what: "2 % are 500 ms late: calls beyond one for each dashboard", line: "at most 5 %", ours: ours.extra()},
		{what: "2 % are 500 ms late: calls that were cancelled, of these", line: fmt.Sprintf("≥ %.0f %%", 100*leastLeft), ours: ours.losers()},
		{what: "all get late: calls beyond one for each dashboard", line: "at most 5 %", ours: all.extra()},
	}
}

func (h hedged) extra() measured {
	extra, total := h.calls-h.tally.Total(), h.tally.Total()
	return measured{
		fmt.Sprintf("%d of %d (%.1f %%)", extra, total, 100*float64(extra)/float64(total)),
		float64(extra) <= mostHedged*float64(total),
	}
}

func (h hedged) losers() measured {
	extra := h.calls - h.tally.Total()
	return measured{fmt.Sprintf("%d of %d", h.left, extra), extra > 0 && float64(h.left) >= leastLeft*float64(extra)}
}

// hedger is what the measurements have in common.
type hedger struct {
	rig     *rig.Rig
	bff     rig.BFF
	callers []http.Header
	users   []*process.Process
	judged  time.Duration
}

// fault is that of each replica of the users.
type fault func(i int) string

// measure starts a BFF and sends a load, under one fault until it is judged and under another from then on.
func (h *hedger) measure(ctx context.Context, first, then fault, naive bool) (o hedged, err error) {
	var urls []string
	for _, standIn := range h.users {
		urls = append(urls, "http://"+standIn.Addr)
		if err := h.rig.ForgetCalls(ctx, standIn); err != nil {
			return o, err
		}
	}
	if err := h.put(ctx, first); err != nil {
		return o, err
	}
	replica, err := h.rig.StartReplica(ctx, h.bff, rig.ReplicaConfig{
		Name: nameOf(h.bff.Name+"-hedging", naive), Naive: naive, Asks: map[rig.Service][]string{rig.Users: urls},
	})
	if err != nil {
		return o, err
	}
	defer replica.Kill()
	sending := load.Start(ctx, replica.Dashboards(h.callers, hedgedRate))
	defer sending.Stop()
	for _, step := range []func() error{
		func() error { return pause(ctx, hedgedWarm) },
		func() error { return h.put(ctx, then) },
		func() error { return pause(ctx, h.judged) },
	} {
		if err := step(); err != nil {
			return o, err
		}
	}
	o.tally = sending.Stop()
	judged := o.tally.Between(hedgedWarm, hedgedWarm+h.judged)
	o.p99 = judged.Quantile(0.99)
	err = h.count(ctx, &o)
	h.rig.Tellf("%s: dashboards took %s at p50, %s at p95, %s at p99; %d calls for %d, %d cancelled", nameOf(h.bff.Name, naive),
		milliseconds(judged.Quantile(0.5)), milliseconds(judged.Quantile(0.95)), milliseconds(o.p99), o.calls, o.tally.Total(), o.left)
	return o, err
}

func (h *hedger) put(ctx context.Context, f fault) error {
	for i, standIn := range h.users {
		if err := h.rig.Fault(ctx, standIn, f(i)); err != nil {
			return err
		}
	}
	return nil
}

// count asks all replicas how often they were asked.
func (h *hedger) count(ctx context.Context, o *hedged) error {
	for _, standIn := range h.users {
		calls, err := h.rig.Calls(ctx, standIn)
		if err != nil {
			return err
		}
		o.calls += calls.Calls
		o.left += calls.Left
	}
	return nil
}
