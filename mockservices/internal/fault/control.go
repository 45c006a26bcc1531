package fault

import (
	"net/http"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/strict"
)

// Show answers the faults as they were asked for; {} when there are none.
func (f *Faults) Show(w http.ResponseWriter, _ *http.Request) {
	answer.JSON(w, http.StatusOK, f.current.Load().asked)
}

// Replace puts the faults of the body in the place of those before and answers them:
//
//	{"latency":"2s","status":503,"errorRate":0.2,"hang":false,
//	 "slots":20,"work":"200ms","stragglers":0.02,"straggle":"500ms","seed":7}
//
// Every member is optional, but slots and work go together, as do stragglers and straggle. Latency comes before every
// request. Then so many slots work on one request each at a time, for as long as work; the other requests queue in
// their order, without bound, and are worked off even when their clients have left. The share stragglers of requests
// takes straggle longer, in its slot when there are slots: the same ones for the same seed (absent: 0) and order.
// At last, status or hang befall the share errorRate of requests (absent: all of them), where hang wins over status, and
// errorRate without either means status 500.
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

// End ends all faults and lets go what hangs or queues.
func (f *Faults) End(w http.ResponseWriter, _ *http.Request) {
	close(f.current.Swap(&plan{ended: make(chan struct{})}).ended)
	w.WriteHeader(http.StatusNoContent)
}
