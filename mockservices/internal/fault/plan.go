package fault

import (
	"fmt"
	"net/http"
	"time"

	"bff.internal/mockservices/internal/strict"
)

// maxSlots bounds what booking one of them takes.
const maxSlots = 1000

// settings is the body of PUT and GET /_faults. A member that is null or absent is not set.
type settings struct {
	Latency    *string  `json:"latency,omitzero"`
	Status     *int     `json:"status,omitzero"`
	ErrorRate  *float64 `json:"errorRate,omitzero"`
	Hang       *bool    `json:"hang,omitzero"`
	Slots      *int     `json:"slots,omitzero"`
	Work       *string  `json:"work,omitzero"`
	Stragglers *float64 `json:"stragglers,omitzero"`
	Straggle   *string  `json:"straggle,omitzero"`
	Seed       *uint64  `json:"seed,omitzero"`
}

// plan is one set of faults, from the PUT that began it to the PUT or DELETE that ended it.
type plan struct {
	asked      settings
	latency    time.Duration // before every request
	stragglers *stragglers   // nil when no request takes longer than others
	slots      *slots        // nil when any number of requests is worked on at a time
	status     int           // of a broken request; 0 leaves requests whole
	hang       bool          // broken requests hang and have no status
	rate       float64       // the share of requests that break
	ended      chan struct{} // closed when another plan takes over
}

// delays reports whether requests may have to wait.
func (p *plan) delays() bool {
	return p.latency > 0 || p.hang || p.slots != nil || p.stragglers != nil
}

func newPlan(asked settings) (*plan, error) {
	next := &plan{asked: asked, rate: 1, ended: make(chan struct{})}
	for _, part := range []func() error{next.planLatency, next.planBreaking, next.planSlots, next.planStragglers} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return next, nil
}

func (p *plan) planLatency() error {
	if p.asked.Latency == nil {
		return nil
	}
	var err error
	if p.latency, err = time.ParseDuration(*p.asked.Latency); err != nil || p.latency < 0 {
		return refused("latency", `wants a duration such as "250ms", not negative`)
	}
	return nil
}

func (p *plan) planBreaking() error {
	if p.asked.Status != nil {
		p.status = *p.asked.Status
		if p.status < 200 || p.status > 599 {
			return refused("status", "wants a final HTTP status from 200 to 599")
		}
	}
	p.hang = p.asked.Hang != nil && *p.asked.Hang
	if p.asked.ErrorRate != nil {
		p.rate = *p.asked.ErrorRate
		if p.rate < 0 || p.rate > 1 {
			return refused("errorRate", "wants a share from 0 to 1")
		}
		if p.status == 0 && !p.hang {
			p.status = http.StatusInternalServerError
		}
	}
	return nil
}

func (p *plan) planSlots() error {
	count, asked := p.asked.Slots, p.asked.Work
	switch {
	case count == nil && asked == nil:
		return nil
	case count == nil:
		return refused("work", "goes with slots")
	case *count < 1 || *count > maxSlots:
		return refused("slots", fmt.Sprintf("wants a number from 1 to %d", maxSlots))
	}
	work, err := positive("work", asked)
	if err != nil {
		return err
	}
	p.slots = newSlots(*count, work)
	return nil
}

func (p *plan) planStragglers() error {
	share, asked := p.asked.Stragglers, p.asked.Straggle
	switch {
	case share == nil && asked != nil:
		return refused("straggle", "goes with stragglers")
	case share == nil && p.asked.Seed != nil:
		return refused("seed", "goes with stragglers")
	case share == nil:
		return nil
	case *share < 0 || *share > 1:
		return refused("stragglers", "wants a share from 0 to 1")
	}
	by, err := positive("straggle", asked)
	if err != nil {
		return err
	}
	var seed uint64
	if p.asked.Seed != nil {
		seed = *p.asked.Seed
	}
	p.stragglers = newStragglers(*share, by, seed)
	return nil
}

// positive is the duration that a member has to be; absent is refused too.
func positive(member string, asked *string) (time.Duration, error) {
	if asked != nil {
		if d, err := time.ParseDuration(*asked); err == nil && d > 0 {
			return d, nil
		}
	}
	return 0, refused(member, `wants a duration such as "250ms", above zero`)
}

func refused(member, detail string) error {
	return strict.Violated(http.StatusBadRequest, "/"+member, detail)
}
