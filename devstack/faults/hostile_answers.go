package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"bff.internal/devstack/faults/hostile"
	"bff.internal/devstack/faults/load"
	"bff.internal/devstack/faults/rig"
)

const (
	// hostileAsks is how many requests meet each shape at the same moment, and hostileAtATime how many shapes one process
	// meets: so few, after as many good answers, that no circuit opens, for then nobody would be asked.
	hostileAsks    = 3
	hostileAtATime = 4
	hostileWarm    = 8
	hostileCallers = hostileAsks
	// mostHostile is how much memory answers may take, and mostUnpacked those that are small on the wire.
	mostHostile  = 16 << 20
	mostUnpacked = 8 << 20
	// fewGoroutines come and go by themselves: a connection to somebody else has two.
	fewGoroutines = 10
)

// hostileAnswers puts a service that answers in all the wrong ways in the place of one that an answer needs, and of one
// that it can do without. The naive build refuses most of it as well, for what it does not know is what that costs.
func hostileAnswers(ctx context.Context, r *rig.Rig, _ bool) ([]figure, error) {
	h := &hostility{rig: r, bff: rig.BFFs()[0]}
	var err error
	if h.callers, err = r.Callers(ctx, h.bff, hostileCallers); err != nil {
		return nil, err
	}
	ours, err := h.meetAll(ctx, false)
	if err != nil {
		return nil, err
	}
	naive, err := h.meetAll(ctx, true)
	if err != nil {
		return nil, fmt.Errorf("naively: %w", err)
	}
	return hostileFigures(ours, naive), nil
}

// meetAll has every shape met, in the place of either service.
func (h *hostility) meetAll(ctx context.Context, naive bool) (met []meeting, err error) {
	for _, service := range []rig.Service{rig.Users, rig.Orders} {
		for shapes := range slices.Chunk(hostile.Shapes(), hostileAtATime) {
			more, err := h.meet(ctx, service, shapes, naive)
			if err != nil {
				return nil, fmt.Errorf("%s that are hostile: %w", service, err)
			}
			met = append(met, more...)
		}
	}
	return met, nil
}

// meeting is what became of the requests that met a shape.
type meeting struct {
	shape   hostile.Shape
	service rig.Service
	tally   load.Tally
	memory  int64 // more than before the process met the first shape, at the most
	asked   int   // requests that reached the service
	// what was left a moment later
	open, goroutines int
}

// wanted is the kind of all answers.
func (m meeting) wanted() string {
	switch {
	case m.service == rig.Users && m.shape.Late:
		return "504 timeout"
	case m.service == rig.Users:
		return "502 bad_answer"
	case m.shape.Late:
		return "partial activeOrders;reason=timeout"
	default:
		return "partial activeOrders;reason=bad_answer"
	}
}

func (m meeting) asWanted() bool {
	return m.tally.Kinds[m.wanted()] == hostileAsks && m.asked == hostileAsks
}

func hostileFigures(met, naive []meeting) []figure {
	figures := make([]figure, 0, len(met)+4)
	for _, m := range met {
		figures = append(figures, figure{
			what: fmt.Sprintf("%s: %s", m.service, m.shape.Name), line: fmt.Sprintf("%s × %d", m.wanted(), hostileAsks),
			ours: measured{m.tally.Failures(), m.asWanted()},
		})
	}
	ours, theirs := sum(met), sum(naive)
	return append(
		figures,
		figure{"memory for answers, at the most", "≤ " + mebibytes(mostHostile), ours.plain.took(mostHostile), theirs.plain.took(mostHostile)},
		figure{what: "memory for compressed answers, at the most", line: "≤ " + mebibytes(mostUnpacked), ours: ours.compressed.took(mostUnpacked)},
		figure{what: "connections that are left, at the most", line: "0", ours: measured{strconv.Itoa(ours.open), ours.open == 0}},
		figure{
			what: "goroutines that are left, at the most", line: fmt.Sprintf("≤ %d", fewGoroutines),
			ours: measured{strconv.Itoa(ours.goroutines), ours.goroutines <= fewGoroutines},
		},
	)
}

// worst is the most that any meeting took and left.
type worst struct {
	plain, compressed meeting // which took the most memory
	open, goroutines  int
}

func sum(met []meeting) (w worst) {
	for _, m := range met {
		most := &w.plain
		if m.shape.Compressed {
			most = &w.compressed
		}
		if m.memory >= most.memory {
			*most = m
		}
		w.open, w.goroutines = max(w.open, m.open), max(w.goroutines, m.goroutines)
	}
	return w
}

func (m meeting) took(most int64) measured {
	return measured{fmt.Sprintf("%s (%s: %s)", mebibytes(m.memory), m.service, m.shape.Name), m.shape.Name != "" && m.memory <= most}
}

// hostility is what the meetings have in common.
type hostility struct {
	rig     *rig.Rig
	bff     rig.BFF
	callers []http.Header
	started int
}

// meet starts a BFF, whose service answers in one shape after the other.
func (h *hostility) meet(ctx context.Context, service rig.Service, shapes []hostile.Shape, naive bool) ([]meeting, error) {
	ledger := hostile.NewLedger()
	server, err := hostile.Start(ctx, ledger, hostile.Failing(0))
	if err != nil {
		return nil, err
	}
	defer server.Close()
	h.started++
	replica, err := h.rig.StartReplica(ctx, h.bff, rig.ReplicaConfig{
		Name: fmt.Sprintf("%s-%d", h.bff.Name, h.started), Naive: naive, Asks: map[rig.Service][]string{service: {"http://" + server.Addr}},
	})
	if err != nil {
		return nil, err
	}
	defer replica.Kill()
	before, err := h.whatItHas(ctx, replica)
	if err != nil {
		return nil, err
	}
	met := make([]meeting, 0, len(shapes))
	for _, shape := range shapes {
		server.Say(shape)
		m := meeting{shape: shape, service: service, asked: -ledger.Asked().Requests}
		if m.tally, m.memory, err = h.ask(ctx, replica); err != nil {
			return met, err
		}
		m.memory -= before.memory
		m.asked += ledger.Asked().Requests
		err = rig.WaitUntil(ctx, "what an answer took is given back", func(ctx context.Context) bool {
			m.open = server.Open()
			m.goroutines = int(gauge(ctx, replica, "go_goroutines")) - before.goroutines
			return m.open == 0 && m.goroutines <= fewGoroutines
		})
		if err != nil && ctx.Err() != nil {
			return met, err
		}
		met = append(met, m)
	}
	return met, nil
}
