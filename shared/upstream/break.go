package upstream

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"

	"bff.internal/shared/telemetry"
)

// A circuit opens after inARow failures in a row, when nothing has succeeded for noLife either: soon where a service has
// died, and not for a burst of calls that fail by themselves, or a moment without a network. Or it opens when three of
// four judged calls of the last ten seconds failed, if there were enough to tell. A service that does half of its work
// is of use. A few probes are let through after openFor. Calls that say nothing are not judged; but where nearly all
// callers left, the few that stayed until their deadline say little: they have to be a tenth of all.
const (
	window         = 10 * time.Second
	bucket         = time.Second
	openFor        = 5 * time.Second
	probes         = 3
	enoughCalls    = 20
	tooManyOfCalls = 0.75
	enoughOfAll    = 0.1
)

// errOpen says that a replica was not asked.
var errOpen = errors.New("circuit is open")

type circuit = gobreaker.CircuitBreaker[*http.Response]

// breaks asks a replica as long as its circuit lets it.
type breaks struct {
	next http.RoundTripper
	pool *pool
}

func newCircuit(service string, r *replica, t *telemetry.Telemetry) *circuit {
	host := r.url.Host
	t.Metrics.Circuit(service, host, int(gobreaker.StateClosed))
	return gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
		Interval:     window,
		BucketPeriod: bucket,
		Timeout:      openFor,
		MaxRequests:  probes,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return tooManyFailed(c) || r.row.dead(time.Now()) },
		IsExcluded:   saysNothing,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			r.changed.Store(time.Now().UnixNano())
			r.row.reset()
			t.Metrics.Circuit(service, host, int(to))
			t.Log.Warn("circuit changed", slog.String("upstream", service), slog.String("replica", host),
				slog.String("from", from.String()), slog.String("to", to.String()))
		},
	})
}

func (l breaks) RoundTrip(req *http.Request) (*http.Response, error) {
	r := l.pool.byHost(req.URL.Host)
	began := time.Now()
	if r.state(began) == gobreaker.StateClosed && r.row.suspect() && !r.row.look(began) {
		return nil, errOpen
	}
	resp, err := r.circuit.Execute(func() (*http.Response, error) {
		resp, err := l.next.RoundTrip(req)
		if err == nil && resp.StatusCode >= http.StatusInternalServerError {
			err = errServer
		}
		what := dropped
		switch {
		case err == nil:
			what = answered
		case saysNothing(err):
			what = silent
		}
		if after := r.row.judge(what, began); after > 0 {
			time.AfterFunc(after, func() { r.state(time.Now()) })
		}
		return resp, err
	})
	switch {
	case errors.Is(err, errServer):
		return resp, nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return nil, errOpen
	default:
		return resp, err
	}
}

// state is that of the circuit. It opens the one of a replica that has turned out to be dead while nobody asked it.
func (r *replica) state(now time.Time) gobreaker.State {
	state := r.circuit.State()
	if state == gobreaker.StateClosed && r.row.dead(now) {
		_, _ = r.circuit.Execute(func() (*http.Response, error) { return nil, errServer })
		state = r.circuit.State()
	}
	return state
}

// errServer marks a 5xx as a failure for the circuit alone.
var errServer = errors.New("5xx")

// tooManyFailed leaves out what saysNothing excluded, which Counts.Requests includes.
func tooManyFailed(c gobreaker.Counts) bool {
	judged, failed := c.TotalSuccesses+c.TotalFailures, float64(c.TotalFailures)
	if failed < enoughOfAll*(failed+float64(c.TotalExclusions)) {
		return false
	}
	return judged >= enoughCalls && failed >= tooManyOfCalls*float64(judged)
}

// saysNothing excludes what tells nothing about the replica's health: we stopped waiting, or one answer
// was larger than we take.
func saysNothing(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, errTooLarge)
}
