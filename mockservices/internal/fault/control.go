package fault

import (
	"net/http"
	"time"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/strict"
)

// settings is the body of PUT and GET /_faults. A member that is null or absent is not set.
type settings struct {
	Latency   *string  `json:"latency,omitzero"`
	Status    *int     `json:"status,omitzero"`
	ErrorRate *float64 `json:"errorRate,omitzero"`
	Hang      *bool    `json:"hang,omitzero"`
}

// Show answers the faults as they were asked for; {} when there are none.
func (f *Faults) Show(w http.ResponseWriter, _ *http.Request) {
	answer.JSON(w, http.StatusOK, f.current.Load().asked)
}

// Replace puts the faults of the body in the place of those before and answers them:
// {"latency":"2s","status":503,"errorRate":0.2,"hang":false}, every member optional.
// Latency comes before every request; status or hang befall the share errorRate of requests (absent: all of them),
// where hang wins over status, and errorRate without either means status 500.
// A body that makes no sense is answered 400 and changes nothing.
func (f *Faults) Replace(w http.ResponseWriter, r *http.Request) {
	var asked settings
	content, err := strict.Body(r)
	if err == nil {
		err = strict.JSON(content, &asked)
	}
	var next *plan
	if err == nil {
		next, err = newPlan(asked)
	}
	if err != nil {
		answer.Error(w, err)
		return
	}
	close(f.current.Swap(next).ended)
	answer.JSON(w, http.StatusOK, asked)
}

// End ends all faults and lets go what hangs.
func (f *Faults) End(w http.ResponseWriter, _ *http.Request) {
	close(f.current.Swap(&plan{ended: make(chan struct{})}).ended)
	w.WriteHeader(http.StatusNoContent)
}

func newPlan(asked settings) (*plan, error) {
	next := &plan{asked: asked, rate: 1, ended: make(chan struct{})}
	if asked.Latency != nil {
		latency, err := time.ParseDuration(*asked.Latency)
		if err != nil || latency < 0 {
			return nil, strict.Violated(http.StatusBadRequest, "/latency", `wants a duration such as "250ms", not negative`)
		}
		next.latency = latency
	}
	if asked.Status != nil {
		next.status = *asked.Status
		if next.status < 200 || next.status > 599 {
			return nil, strict.Violated(http.StatusBadRequest, "/status", "wants a final HTTP status from 200 to 599")
		}
	}
	next.hang = asked.Hang != nil && *asked.Hang
	if asked.ErrorRate != nil {
		next.rate = *asked.ErrorRate
		if next.rate < 0 || next.rate > 1 {
			return nil, strict.Violated(http.StatusBadRequest, "/errorRate", "wants a share from 0 to 1")
		}
		if next.status == 0 && !next.hang {
			next.status = http.StatusInternalServerError
		}
	}
	return next, nil
}
