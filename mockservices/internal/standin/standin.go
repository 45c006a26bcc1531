// Package standin is what all stand-ins have in common: a route table that answers problems, liveness, faults and counts
// of calls.
package standin

import (
	"io"
	"maps"
	"net/http"

	"bff.internal/mockservices/internal/calls"
	"bff.internal/mockservices/internal/fault"
)

// New is a stand-in that serves api, which faults can break, and whose calls are counted. Beside it, never broken or
// counted and open to everybody, are GET /livez, /_faults (GET, PUT, DELETE), /_calls (GET, DELETE) and controls, whose
// patterns must be plain paths; nil for none.
func New(api, controls Table) http.Handler {
	faults, counted := fault.New(), calls.New()
	beside := Table{
		"/livez": {http.MethodGet: alive},
		"/_faults": {
			http.MethodGet:    faults.Show,
			http.MethodPut:    faults.Replace,
			http.MethodDelete: faults.End,
		},
		"/_calls": {http.MethodGet: counted.Show, http.MethodDelete: counted.Restart},
	}
	maps.Copy(beside, controls)
	sound, breakable := beside.Handler(), counted.Count(faults.Inject(api.Handler()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := beside[r.URL.Path]; ok {
			sound.ServeHTTP(w, r)
			return
		}
		breakable.ServeHTTP(w, r)
	})
}

func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// A prober that has gone needs no answer.
	_, _ = io.WriteString(w, "ok")
}
