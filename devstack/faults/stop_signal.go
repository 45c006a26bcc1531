package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	stopDelay = 2 * time.Second // DRAIN_DELAY
	// Requests over new connections come for most of the delay, and then those that are in flight when it ends.
	stopServed, stopRate = 60, 40
	stopHeld             = 8
	// heldBefore is when the latter are sent, before the end of the delay. A BFF waits longer than this for the service
	// that holds them, and so for the rest of that time after it.
	heldBefore = 300 * time.Millisecond
	// probesApart is how often /readyz is asked, and how long before it is asked for the first time: no balancer asks
	// more often.
	probesApart = 100 * time.Millisecond
	// shutdown is how a socket is told to come back, to another replica.
	shutdown = 3001
)

// stopSignal sends SIGTERM to one replica of each BFF. The naive build takes no notice of signals, so that it ends there
// and then.
func stopSignal(ctx context.Context, r *rig.Rig, _ bool) ([]figure, error) {
	var figures []figure
	for _, b := range rig.BFFs() {
		ours, err := stop(ctx, r, b, syscall.SIGTERM)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", b.Name, err)
		}
		naive, err := stop(ctx, r, b, syscall.SIGKILL)
		if err != nil {
			return figures, fmt.Errorf("%s, naively: %w", b.Name, err)
		}
		figures = append(figures, stopFigures(b, ours, naive)...)
	}
	return figures, nil
}

// stopped is what became of a replica and its clients.
type stopped struct {
	probes     []string   // what /readyz said, in order
	served     load.Tally // over new connections during the delay
	held       load.Tally // sent before the listener closed
	afterClose int        // of these, those that were answered, whole, when it had closed
	status     int
	socket     int // the code that the socket was closed with
}

func stopFigures(b rig.BFF, ours, naive stopped) []figure {
	figures := []figure{
		{b.Name + ": /readyz after the signal", "503 from the first time", ours.readiness(), naive.readiness()},
		{b.Name + ": over new connections after the signal", fmt.Sprintf("all %d answered 200", stopServed), ours.onNew(), naive.onNew()},
		{b.Name + ": in flight when the listener closed", fmt.Sprintf("all %d answered 200, after it", stopHeld), ours.overClose(), naive.overClose()},
		{b.Name + ": exit status", "0", ours.exit(), naive.exit()},
	}
	if b.Socket != "" {
		line := fmt.Sprintf("%d: come back, elsewhere", shutdown)
		figures = append(figures, figure{b.Name + ": the socket's close code", line, ours.told(), naive.told()})
	}
	return figures
}

func (o stopped) readiness() measured {
	counts := map[string]int{}
	for _, probe := range o.probes {
		counts[probe]++
	}
	list := make([]string, 0, len(counts))
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%s × %d", kind, counts[kind]))
	}
	if len(list) == 0 {
		return measured{says: "no answer"}
	}
	return measured{"first " + o.probes[0] + "; " + strings.Join(list, ", "), o.probes[0] == "503" && counts["200"] == 0}
}

func (o stopped) onNew() measured {
	return measured{answered(o.served), o.served.Failed() == 0 && o.served.Total() == stopServed}
}

func (o stopped) overClose() measured {
	return measured{
		fmt.Sprintf("%s, %d after it", answered(o.held), o.afterClose),
		o.afterClose == stopHeld && o.held.Failed() == 0,
	}
}

func (o stopped) exit() measured {
	if o.status < 0 {
		return measured{says: "none, ended by the signal"}
	}
	return measured{strconv.Itoa(o.status), o.status == 0}
}

func (o stopped) told() measured {
	if o.socket < 0 {
		return measured{says: "none"}
	}
	return measured{strconv.Itoa(o.socket), o.socket == shutdown}
}

// answered is how many were answered, of how many, and what became of the others.
func answered(t load.Tally) string {
	text := fmt.Sprintf("%d of %d answered 200", t.Kinds[load.Whole], t.Total())
	if failures := t.Failures(); failures != "" {
		text += " (" + failures + ")"
	}
	return text
}
