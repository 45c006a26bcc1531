package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

// possessions is what a process has.
type possessions struct {
	memory     int64
	goroutines int
}

// whatItHas is that of a BFF that has opened everything that it keeps: connections, keys and whatever it caches.
func (h *hostility) whatItHas(ctx context.Context, replica *rig.Replica) (p possessions, err error) {
	for range hostileWarm {
		var tally load.Tally
		if tally, p.memory, err = h.ask(ctx, replica); err != nil {
			return p, err
		}
		if tally.Failed() > 0 {
			return p, fmt.Errorf("%s: before anything hostile %v failed", replica.Name, tally)
		}
	}
	p.goroutines = int(gauge(ctx, replica, "go_goroutines"))
	if p.goroutines == 0 {
		return p, fmt.Errorf("%s does not say how many goroutines it has", replica.Name)
	}
	return p, nil
}

// ask sends a few requests at once, and returns their answers and how much memory the process had at the most meanwhile.
func (h *hostility) ask(ctx context.Context, replica *rig.Replica) (load.Tally, int64, error) {
	if err := forgetMemory(replica.PID); err != nil {
		return load.Tally{}, 0, err
	}
	const atOnce = 1000
	plan := replica.Dashboards(h.callers, atOnce)
	plan.Most, plan.Fresh = hostileAsks, true
	tally := load.Start(ctx, plan).Finish()
	memory, err := mostMemory(replica.PID)
	return tally, memory, err
}

// gauge reads one without labels from the replica's metrics; 0 when it is not there.
func gauge(ctx context.Context, replica *rig.Replica, name string) float64 {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+replica.AdminAddr+"/metrics", http.NoBody)
	if err != nil {
		return 0
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, found := strings.CutPrefix(lines.Text(), name+" "); found {
			value, _ := strconv.ParseFloat(text, 64) // or it is not there
			return value
		}
	}
	return 0
}
