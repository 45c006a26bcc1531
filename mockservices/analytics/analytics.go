// Package analytics stands in for a company's Analytics Service: what somebody ordered and spent, day by day.
package analytics

import (
	"net/http"
	"time"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/owner"
	"bff.internal/mockservices/internal/standin"
	"bff.internal/mockservices/internal/strict"
	"bff.internal/mockservices/token"
)

const cacheControl = "private, max-age=60, stale-while-revalidate=60, stale-if-error=600"

type service struct {
	today time.Time
}

// New is the Analytics Service: an [http.Handler] that needs no closing. Every window ends with the UTC day of today,
// however long the service runs, so that answers stay what they were; zero means the day of the call.
func New(verifier *token.Verifier, today time.Time) http.Handler {
	if today.IsZero() {
		today = time.Now()
	}
	s := service{today: today.UTC().Truncate(24 * time.Hour)}
	return standin.New(standin.Table{"/metrics": {http.MethodGet: verifier.Require(s.metrics)}}, nil)
}

// metrics is GET /metrics?user=me|partner=<id>&window=7d|30d|90d.
func (s service) metrics(w http.ResponseWriter, r *http.Request, caller token.Caller) error {
	query, err := strict.Query(r, "user", "partner", "window")
	if err != nil {
		return err
	}
	whose, err := owner.Asked(query, caller)
	if err != nil {
		return err
	}
	window := "30d"
	if query.Has("window") {
		window = query.Get("window")
	}
	days, ok := map[string]int{"7d": 7, "30d": 30, "90d": 90}[window]
	if !ok {
		return strict.BadQuery("window wants 7d, 30d or 90d")
	}
	answer.Cached(w, r, cacheControl, newMetrics(whose, window, days, s.today))
	return nil
}
