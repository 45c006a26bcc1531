package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	holeRate, holeCallers = 50, 4
	// holeBefore is how long everything is well, and holeLasts how long a service is gone after the deadline of those who
	// asked first: whoever asks then could know.
	holeBefore, holeLasts = time.Second, 2 * time.Second
)

// blackHole lets each service in turn swallow what it is sent. Answers that need it say so, with what there is; answers
// that do not need it stay as they are. The naive build says of calls that it did not make that their answers were bad.
func blackHole(ctx context.Context, r *rig.Rig, short bool) ([]figure, error) {
	all := rig.BFFs()
	if short { // what is behind all of them is the same
		all = all[:1]
	}
	var figures []figure
	for _, b := range all {
		for _, service := range rig.Services() {
			h, err := holeOf(ctx, r, b, service, false)
			if err != nil {
				return figures, fmt.Errorf("%s without %s: %w", b.Name, service, err)
			}
			naive, err := holeOf(ctx, r, b, service, true)
			if err != nil {
				return figures, fmt.Errorf("%s without %s, naively: %w", b.Name, service, err)
			}
			r.Tellf("%s without %s: answers took %s at p99 and %s at most (at most the deadline + 50 ms: %s); the others %s at p99, and %s before",
				b.Name, service, milliseconds(h.needy.Quantile(0.99)), milliseconds(h.needy.Quantile(1)), milliseconds(b.Within+50*time.Millisecond),
				milliseconds(h.others.Quantile(0.99)), milliseconds(h.othersBefore.Quantile(0.99)))
			figures = append(figures, h.figures(b, service, naive)...)
		}
	}
	return figures, nil
}

// hole is what became of requests while a service swallowed what it was sent.
type hole struct {
	needy                load.Tally // dashboards
	othersBefore, others load.Tally // what needs no service
}

func holeOf(ctx context.Context, r *rig.Rig, b rig.BFF, service rig.Service, naive bool) (h hole, err error) {
	t, err := aim{name: "hole-" + string(service), naive: naive, bff: b, service: service, addr: r.Site}.start(ctx, r)
	if err != nil {
		return h, err
	}
	defer t.end()
	callers, err := r.Callers(ctx, b, holeCallers)
	if err != nil {
		return h, err
	}
	if err := t.whole(ctx, callers); err != nil {
		return h, err
	}
	dashboards := t.Dashboards(callers, holeRate)
	dashboards.InFlight += int(b.Within.Seconds() * holeRate) // for each waits for as long as it may
	needy := load.Start(ctx, dashboards)
	defer needy.Stop()
	others := load.Start(ctx, t.Gets(b.Contract, callers, holeRate))
	defer others.Stop()
	if err := pause(ctx, holeBefore); err != nil {
		return h, err
	}
	if err := t.link.BlackHole(); err != nil {
		return h, err
	}
	begun := time.Since(needy.Begun())
	if err := pause(ctx, b.Within+holeLasts); err != nil {
		return h, err
	}
	const ever = time.Hour
	var stopping errgroup.Group
	stopping.Go(func() error {
		h.needy = needy.Stop().Between(begun, ever)
		return nil
	})
	tally := others.Stop()
	h.othersBefore, h.others = tally.Between(0, begun), tally.Between(begun, ever)
	_ = stopping.Wait() // it has no error
	if h.needy.Total() == 0 || h.others.Total() == 0 || h.othersBefore.Total() == 0 {
		return h, errors.New("nothing was sent")
	}
	return h, nil
}

func (h hole) figures(b rig.BFF, service rig.Service, naive hole) []figure {
	line := "all partial, and why"
	if b.Requires(service) {
		line = "all 504 timeout or " + unavailable
	}
	return []figure{
		{
			what: fmt.Sprintf("%s without %s: answers that need it", b.Name, service), line: line,
			ours: h.explained(b, service), naive: naive.explained(b, service),
		},
		{
			what: fmt.Sprintf("%s without %s: answers that do not", b.Name, service), line: "all 200",
			ours: measured{answered(h.others), h.others.Failed() == 0},
		},
	}
}

// explained is how many of the answers that need the service are right.
func (h hole) explained(b rig.BFF, service rig.Service) measured {
	right := 0
	for kind, count := range h.needy.Kinds {
		if explains(kind, b, service) {
			right += count
		}
	}
	return measured{fmt.Sprintf("%d of %d (%s)", right, h.needy.Total(), h.needy.Failures()), right == h.needy.Total()}
}

// explains reports whether an answer of this kind is right when the service does not answer.
func explains(kind string, b rig.BFF, service rig.Service) bool {
	if b.Requires(service) {
		return kind == "504 timeout" || kind == unavailable
	}
	reason, ok := strings.CutPrefix(kind, "partial "+service.Section()+";reason=")
	return ok && (reason == "timeout" || reason == "breaker_open" || reason == "shed")
}
