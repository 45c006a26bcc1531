package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	// besideRate is how much the partner beside the flood asks for.
	besideRate = 20
	// besideFactor is how much more than the peak the other one asks for.
	besideFactor = 10
	// crowdSize is the connections of a partner who asks again as soon as there was an answer: many more than
	// bff-partner has to Redis.
	crowdSize = 1000
)

// besideFloods has one partner flood bff-partner in two ways, and counts what becomes of another one. What keeps the
// second way from it stands before the layers that the naive build lacks.
func besideFloods(ctx context.Context, r *rig.Rig, plan overloads) ([]figure, error) {
	var figures []figure
	for _, way := range []struct {
		what  string
		fault string // of the users
		begin func(ctx context.Context, replica *rig.Replica, flooder http.Header) (stop func())
		alike bool // whatever the build
	}{
		{fmt.Sprintf("a partner at %dx", besideFactor), slotFault, floodAs, false},
		{fmt.Sprintf("a partner with %d connections", crowdSize), "", crowdAs, true},
	} {
		f := figure{what: "bff-partner: another beside " + way.what, line: fmt.Sprintf("≥ %.0f %% whole", 100*goodShare)}
		builds := []*measured{&f.ours, &f.naive}
		if way.alike {
			builds = builds[:1]
		}
		for i, build := range builds {
			err := r.Fault(ctx, r.Users, way.fault)
			if err != nil {
				return figures, err
			}
			naive := i > 0
			tally, err := besideOne(ctx, r, plan, naive, way.begin)
			if err != nil {
				return figures, fmt.Errorf("bff-partner beside %s: %w", way.what, err)
			}
			*build = besideOf(tally)
			tellShed(r, fmt.Sprintf("%s beside %s", nameOf("bff-partner", naive), way.what), tally)
		}
		figures = append(figures, f)
	}
	return figures, r.Fault(ctx, r.Users, "")
}

func besideOf(t load.Tally) measured {
	return measured{answered(t), t.Total() > 0 && float64(t.Kinds[load.Whole]) >= goodShare*float64(t.Total())}
}

func besideOne(ctx context.Context, r *rig.Rig, plan overloads, naive bool,
	begin func(ctx context.Context, replica *rig.Replica, flooder http.Header) (stop func()),
) (t load.Tally, err error) {
	partner := rig.BFFs()[2]
	replica, err := r.StartReplica(ctx, partner, rig.ReplicaConfig{Name: nameOf("bff-partner-flooded", naive), Addr: r.Site, Naive: naive})
	if err != nil {
		return t, err
	}
	defer replica.Kill()
	callers, err := r.Callers(ctx, partner, 2)
	if err != nil {
		return t, err
	}
	stop := begin(ctx, replica, callers[0])
	defer stop()
	beside := load.Start(ctx, replica.Dashboards(callers[1:], besideRate))
	defer beside.Stop()
	if err := pause(ctx, plan.warm+plan.judged); err != nil {
		return t, err
	}
	return beside.Stop().Between(plan.warm, plan.warm+plan.judged), nil
}

// floodAs asks at a rate.
func floodAs(ctx context.Context, replica *rig.Replica, flooder http.Header) (stop func()) {
	flood := load.Start(ctx, replica.Dashboards([]http.Header{flooder}, besideFactor*shedPeak))
	return func() { flood.Stop() }
}

// crowdAs asks over all of its connections, as fast as it is answered.
func crowdAs(ctx context.Context, replica *rig.Replica, flooder http.Header) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	plan := replica.Dashboards([]http.Header{flooder}, 1)
	transport := &http.Transport{MaxIdleConnsPerHost: crowdSize}
	var crowd sync.WaitGroup
	for range crowdSize {
		crowd.Go(func() {
			for ctx.Err() == nil {
				askOnce(ctx, transport, plan)
			}
		})
	}
	return func() {
		end()
		crowd.Wait()
		transport.CloseIdleConnections()
	}
}

// askOnce does not care what becomes of it.
func askOnce(ctx context.Context, transport *http.Transport, plan load.Plan) {
	ctx, cancel := context.WithTimeout(ctx, plan.Within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, plan.URL, http.NoBody)
	if err != nil {
		return
	}
	req.Host, req.Header = plan.Host, plan.Callers[0].Clone()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
}
