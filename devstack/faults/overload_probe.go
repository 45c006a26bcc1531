package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

// shedProbesApart is how often it is asked for what is never shed.
const shedProbesApart = 100 * time.Millisecond

// probed counts what became of the probes, by kind.
type probed map[string]int

func (p probed) answered() measured {
	total, list := 0, make([]string, 0, len(p))
	for _, kind := range slices.Sorted(maps.Keys(p)) {
		total += p[kind]
		list = append(list, fmt.Sprintf("%s × %d", kind, p[kind]))
	}
	return measured{strings.Join(list, ", "), total > 0 && p["200"] == total}
}

// probes is somebody who asks.
type probes struct {
	end    context.CancelFunc
	asking sync.WaitGroup

	mu     sync.Mutex
	counts probed
}

// startProbes asks for readiness and logs out again and again. The caller stops it.
func startProbes(ctx context.Context, replica *rig.Replica) *probes {
	ctx, end := context.WithCancel(ctx)
	p := &probes{end: end, counts: probed{}}
	plan := replica.Gets("/web/logout", nil, 1)
	for _, ask := range []func(ctx context.Context) string{
		replica.Readiness,
		func(ctx context.Context) string { return logOut(ctx, plan.URL, plan.Host) },
	} {
		p.asking.Go(func() { p.ask(ctx, ask) })
	}
	return p
}

func (p *probes) ask(ctx context.Context, ask func(ctx context.Context) string) {
	ticks := time.NewTicker(shedProbesApart)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		kind := ask(ctx)
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		p.counts[kind]++
		p.mu.Unlock()
	}
}

// stop waits for the last answer and returns the counts.
func (p *probes) stop() probed {
	p.end()
	p.asking.Wait()
	return p.counts
}

// logOut is the logout of nobody, which is answered like any other, from a connection of its own.
func logOut(ctx context.Context, url, host string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return load.KindOf(err)
	}
	req.Host = host
	req.Header.Set("X-Csrf", "1")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return load.KindOf(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return load.KindOf(err)
	}
	return strconv.Itoa(resp.StatusCode)
}
