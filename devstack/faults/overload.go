package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	// slotFault is what makes a service overloaded while this machine is not: it can do shedPeak requests a second.
	slotFault = `{"slots":20,"work":"200ms"}`
	shedPeak  = 100
	// goodShare is what has to be left of the peak, or of somebody's requests, beside a flood.
	goodShare = 0.9
	// memoryFactor is how much of its memory at the peak a BFF may take when it is flooded.
	memoryFactor = 1.5
	shedCallers  = 20
)

// overloads is what is asked for, in peaks, and for how long: the warm part of each is not judged, for the first calls
// find a service with nothing to do, whoever asks.
type overloads struct {
	offered      []float64
	warm, judged time.Duration
}

// belowPeak is a load that everybody can stand.
const belowPeak = 0.9

// overload asks for more than a service can do, of bff-web by many callers and of bff-partner by one.
func overload(ctx context.Context, r *rig.Rig, short bool) ([]figure, error) {
	plan := overloads{[]float64{2, 5, 10}, 3 * time.Second, 15 * time.Second}
	if short {
		plan = overloads{[]float64{2, 10}, 2 * time.Second, 3 * time.Second}
	}
	ours, err := floodWeb(ctx, r, plan, false)
	if err != nil {
		return nil, err
	}
	naive, err := floodWeb(ctx, r, plan, true)
	if err != nil {
		return nil, fmt.Errorf("naively: %w", err)
	}
	figures := overloadFigures(ours, naive)
	beside, err := besideFloods(ctx, r, plan)
	return append(figures, beside...), err
}

// flooded is what became of bff-web under one load.
type flooded struct {
	offered float64 // in peaks
	tally   load.Tally
	goodput float64 // whole answers that came in a second
	memory  int64   // of the process at the most, in bytes
}

// flood is all loads on bff-web, and what became of other requests meanwhile.
type flood struct {
	below  flooded
	loads  []flooded
	probes probed
}

func overloadFigures(ours, naive flood) []figure {
	figures := make([]figure, 0, len(ours.loads)+4)
	figures = append(figures, figure{
		what: fmt.Sprintf("bff-web: whole answers a second at %gx", belowPeak), line: fmt.Sprintf("≥ %.0f", goodShare*belowPeak*shedPeak),
		ours: ours.below.does(goodShare * belowPeak * shedPeak),
	})
	for i, f := range ours.loads {
		figures = append(figures, figure{
			what: fmt.Sprintf("bff-web: whole answers a second at %gx", f.offered),
			line: fmt.Sprintf("≥ %.0f of the %d that the service can give", goodShare*shedPeak, shedPeak),
			ours: f.does(goodShare * shedPeak), naive: naive.loads[i].does(goodShare * shedPeak),
		})
	}
	return append(figures,
		figure{"bff-web: refusals that say when to come back", "all", ours.comeBack(), naive.comeBack()},
		figure{
			what: "bff-web: memory at the most, of that below the peak", line: fmt.Sprintf("≤ %.1fx", memoryFactor),
			ours: ours.memory(),
		},
		figure{what: "bff-web: /readyz and /web/logout meanwhile", line: "all answered 200", ours: ours.probes.answered()},
	)
}

func (f flooded) does(wanted float64) measured {
	says := fmt.Sprintf("%.1f", f.goodput)
	if failures := f.tally.Failures(); failures != "" {
		says += " (" + failures + ")"
	}
	return measured{says, f.goodput >= wanted}
}

func (f flood) comeBack() measured {
	refused, bare := 0, 0
	for _, l := range f.loads {
		for kind, count := range l.tally.Kinds {
			if isRefusal(kind) {
				refused += count
				if strings.Contains(kind, "without Retry-After") {
					bare += count
				}
			}
		}
	}
	return measured{fmt.Sprintf("%d of %d", refused-bare, refused), refused > 0 && bare == 0}
}

func isRefusal(kind string) bool { return strings.HasPrefix(kind, "503") }

func (f flood) memory() measured {
	most := slices.MaxFunc(f.loads, func(a, b flooded) int { return cmp.Compare(a.memory, b.memory) })
	factor := float64(most.memory) / float64(f.below.memory)
	return measured{
		fmt.Sprintf("%.2fx (%s at %gx, %s below)", factor, mebibytes(most.memory), most.offered, mebibytes(f.below.memory)),
		factor <= memoryFactor,
	}
}

// floodWeb starts a bff-web and asks it for more and more.
func floodWeb(ctx context.Context, r *rig.Rig, plan overloads, naive bool) (f flood, err error) {
	web := rig.BFFs()[1]
	replica, err := r.StartReplica(ctx, web, rig.ReplicaConfig{Name: nameOf("bff-web-flooded", naive), Addr: r.Site, Naive: naive})
	if err != nil {
		return f, err
	}
	defer replica.Kill()
	callers, err := r.Callers(ctx, web, shedCallers)
	if err != nil {
		return f, err
	}
	probes := startProbes(ctx, replica)
	defer func() { f.probes = probes.stop() }()
	if !naive { // who stands that as well, and opens its circuit for a minute afterwards
		if f.below, err = plan.once(ctx, r, replica, callers, belowPeak); err != nil {
			return f, err
		}
	}
	for _, offered := range plan.offered {
		result, err := plan.once(ctx, r, replica, callers, offered)
		if err != nil {
			return f, err
		}
		f.loads = append(f.loads, result)
		tellShed(r, fmt.Sprintf("%s at %gx", nameOf("bff-web", naive), offered), result.tally)
	}
	return f, r.Fault(ctx, r.Users, "")
}

// once is one load.
func (o overloads) once(ctx context.Context, r *rig.Rig, replica *rig.Replica, callers []http.Header, offered float64) (flooded, error) {
	f := flooded{offered: offered}
	if err := r.Fault(ctx, r.Users, slotFault); err != nil { // which also empties its queue
		return f, err
	}
	if err := forgetMemory(replica.PID); err != nil {
		return f, err
	}
	flood := load.Start(ctx, replica.Dashboards(callers, int(offered*shedPeak)))
	defer flood.Stop()
	if err := pause(ctx, o.warm); err != nil {
		return f, err
	}
	before, begun := flood.Tally().Kinds[load.Whole], time.Now()
	if err := pause(ctx, o.judged); err != nil {
		return f, err
	}
	f.goodput = float64(flood.Tally().Kinds[load.Whole]-before) / time.Since(begun).Seconds()
	f.tally = flood.Stop().Between(o.warm, o.warm+o.judged)
	var err error
	f.memory, err = mostMemory(replica.PID)
	return f, err
}

// tellShed says what decides nothing: how long answers took.
func tellShed(r *rig.Rig, what string, t load.Tally) {
	whole := t.Only(func(kind string) bool { return kind == load.Whole })
	shed := t.Only(isRefusal)
	r.Tellf("%s: whole answers took %s at p50, %s at p99; refusals %s at p50, %s at p99 (10 ms is what we want); sent at most %s late", what,
		milliseconds(whole.Quantile(0.5)), milliseconds(whole.Quantile(0.99)),
		milliseconds(shed.Quantile(0.5)), milliseconds(shed.Quantile(0.99)), milliseconds(t.Lag))
}

// nameOf is the name of files, and of what is told.
func nameOf(name string, naive bool) string {
	if naive {
		return name + "-naive"
	}
	return name
}
