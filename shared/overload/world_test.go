package overload_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"bff.internal/shared/overload"
	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a limiter whose signal and chance are scripted, and the requests that it has let in.
type world struct {
	*overload.Limiter

	metrics *telemetry.Metrics
	waited  time.Duration // what goroutines wait, from now on
	silent  bool          // as if they were too few to tell
	slots   []*overload.Slot
}

func newWorld(tb testing.TB, most int) *world {
	tb.Helper()
	w := &world{metrics: telemetry.NewMetrics()}
	w.Limiter = overload.New(overload.Config{MaxInFlight: most}, overload.Deps{
		Metrics: w.metrics,
		Address: func(r *http.Request) string { return r.RemoteAddr },
		Waited:  func() (time.Duration, bool) { return w.waited, !w.silent },
		Jitter:  func(int) int { return 1 },
	})
	return w
}

// from is a request from the address, with the headers as name and value in turn.
func from(address string, headers ...string) *http.Request {
	r := &http.Request{RemoteAddr: address, Header: http.Header{}}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// ask makes a request that stays in flight if it is let in.
func (w *world) ask(r *http.Request) (*overload.Slot, *problem.Problem) {
	slot, refusal := w.Admit(r)
	if refusal != nil {
		return nil, refusal
	}
	w.slots = append(w.slots, &slot)
	return &slot, nil
}

// flood asks until it is refused, and returns how many were let in.
func (w *world) flood(request func() *http.Request) (admitted int) {
	for {
		if _, refusal := w.ask(request()); refusal != nil {
			return admitted
		}
		admitted++
	}
}

// floodFrom is flood by one address.
func (w *world) floodFrom(address string) int {
	return w.flood(func() *http.Request { return from(address) })
}

// end ends all that is in flight.
func (w *world) end() {
	for _, slot := range w.slots {
		slot.Release()
	}
	w.slots = nil
}

func (w *world) scrape(t *testing.T) string {
	t.Helper()
	rec := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	return rec.Body.String()
}
