package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"bff.internal/devstack/faults/hostile"
	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	amplifiedReplicas = 3
	amplifiedRate     = 100
	amplifiedCallers  = 8
	// mostAmplified is how many calls may reach a failing service for each one of a client's.
	mostAmplified = 1.2
	half          = 0.5
)

// amplification counts how many calls a service that fails gets for each of its clients' requests, with three replicas
// that fail in several ways and with one that has no other to be tried instead.
func amplification(ctx context.Context, r *rig.Rig, short bool) ([]figure, error) {
	requests := 1000
	if short {
		requests = 200
	}
	a := &amplifier{rig: r, bff: rig.BFFs()[0], requests: requests}
	var err error
	if a.callers, err = r.Callers(ctx, a.bff, amplifiedCallers); err != nil {
		return nil, err
	}
	var figures []figure
	for _, way := range []struct {
		what     string
		replicas int
		shape    hostile.Shape
		most     int // calls of one request
		// open says that the circuit of the naive build opens as well, and nobody is asked any more.
		open bool
	}{
		{"all of three replicas answer 500", amplifiedReplicas, hostile.Failing(1), 2, true},
		{"all of three replicas hang up", amplifiedReplicas, hostile.Shape{}, 2, true},
		{"half of the answers of three replicas are 500", amplifiedReplicas, hostile.Failing(half), 2, false},
		{"the only replica answers 500", 1, hostile.Failing(1), 1, true},
	} {
		ours, err := a.count(ctx, way.replicas, way.shape, false)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", way.what, err)
		}
		naive, err := a.count(ctx, way.replicas, way.shape, true)
		if err != nil {
			return figures, fmt.Errorf("%s, naively: %w", way.what, err)
		}
		ratio := naive.ratio()
		if way.open {
			ratio = measured{}
		}
		figures = append(figures,
			figure{way.what + ": calls for each request", fmt.Sprintf("≤ %.1f", mostAmplified), ours.ratio(), ratio},
			figure{way.what + ": calls of one request", fmt.Sprintf("≤ %d", way.most), ours.ofOne(way.most), naive.ofOne(way.most)},
		)
	}
	return figures, nil
}

// amplified is what became of the requests.
type amplified struct {
	tally load.Tally
	asked hostile.Asked
}

func (a amplified) ratio() measured {
	ratio := float64(a.asked.Requests) / float64(a.tally.Total())
	says := fmt.Sprintf("%.2f (%d of %d)", ratio, a.asked.Requests, a.tally.Total())
	return measured{says, a.asked.Requests > 0 && ratio <= mostAmplified}
}

func (a amplified) ofOne(most int) measured {
	return measured{strconv.Itoa(a.asked.MostOfOne), a.asked.MostOfOne > 0 && a.asked.MostOfOne <= most}
}

// amplifier is what the ways of failing have in common.
type amplifier struct {
	rig      *rig.Rig
	bff      rig.BFF
	callers  []http.Header
	requests int
	started  int
}

// count sends all requests to a BFF that has just started. Its users are so many replicas that answer in this shape.
func (a *amplifier) count(ctx context.Context, replicas int, shape hostile.Shape, naive bool) (o amplified, err error) {
	ledger := hostile.NewLedger()
	var urls []string
	for range replicas {
		server, err := hostile.Start(ctx, ledger, shape)
		if err != nil {
			return o, err
		}
		defer server.Close()
		urls = append(urls, "http://"+server.Addr)
	}
	a.started++
	replica, err := a.rig.StartReplica(ctx, a.bff, rig.ReplicaConfig{
		Name: fmt.Sprintf("%s-%d", a.bff.Name, a.started), Naive: naive, Asks: map[rig.Service][]string{rig.Users: urls},
	})
	if err != nil {
		return o, err
	}
	defer replica.Kill()
	plan := replica.Dashboards(a.callers, amplifiedRate)
	plan.Most = a.requests
	o.tally = load.Start(ctx, plan).Finish()
	o.asked = ledger.Asked()
	a.rig.Tellf("%s with %d replicas: %v", nameOf(a.bff.Name, naive), replicas, o.tally)
	return o, nil
}
