package upstream

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bff.internal/shared/telemetry"
)

// A replica that fails so many times in a row is passed over for a while: sooner than its circuit could tell. One call
// that may be repeated then tries it; when that fails as well, the while is twice as long, up to a limit. Never are more than half of
// the replicas ejected: where most of them fail, it is not the replicas, and circuits decide.
const (
	failuresInARow  = 5
	ejectedFirst    = 2 * time.Second
	ejectedAtMost   = 8 * time.Second
	triedByWrites   = 30 * time.Second // after nothing else came
	ejectionJitter  = 0.2
	forgottenBeyond = time.Minute // of being well
)

// ejection is what a replica's last attempts said of it. The zero value says nothing bad.
type ejection struct {
	failures int // in a row
	reason   string
	failing  time.Time // since when it fails, with pauses of less than failingFor
	failed   time.Time // when it last did
	times    int       // ejected so far, until it has been well for some time
	since    time.Time // when it was ejected; zero while it is not
	until    time.Time // when it may be tried
	probing  bool      // a call is trying it
	back     time.Time // when it was last let in again
}

func (e *ejection) ejected() bool { return !e.since.IsZero() }

// admit reports whether an attempt may go to the replica. For one that is ejected that is a probe, once it is time, one
// at a time; whoever makes it tells judge.
func (p *pool) admit(r *replica, repeatable, extra bool) (admitted, probe bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &r.ejection
	if !e.ejected() {
		return true, false
	}
	due := e.until
	if !repeatable {
		due = due.Add(triedByWrites)
	}
	if extra || e.probing || time.Now().Before(due) {
		return false, false
	}
	e.probing = true
	return true, true
}

// errOvertaken is why the slow one of two twins is cancelled.
var errOvertaken = errors.New("the twin was faster")

// overtaken reports whether the attempt ended because its twin was faster.
func overtaken(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errOvertaken)
}

// judge draws the conclusion from an attempt at a replica. While that is ejected, only a probe tells something new.
func (p *pool) judge(ctx context.Context, r *replica, probe bool, resp *http.Response, err error) {
	overtaken := overtaken(ctx, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &r.ejection
	if e.ejected() && !probe {
		return
	}
	e.probing = false
	switch {
	case succeeded(resp, err):
		e.failures = 0
		if probe {
			p.readmit(r)
		}
	case saysNothing(err) && !overtaken, errors.Is(err, errOpen):
	case probe:
		e.note(reasonOf(resp, err, overtaken))
		e.until = time.Now().Add(e.pause())
	default:
		e.note(reasonOf(resp, err, overtaken))
		if e.failures++; e.failures >= failuresInARow && p.ejects && 2*(p.ejected+1) <= len(p.replicas) {
			p.eject(r)
		}
	}
}

// failingFor is how long a failure makes a replica one that fails.
const failingFor = window

// note remembers a failure.
func (e *ejection) note(reason string) {
	now := time.Now()
	if now.Sub(e.failed) > failingFor {
		e.failing = now
	}
	e.failed, e.reason = now, reason
}

// eject passes the replica over from now on; p.mu is held.
func (p *pool) eject(r *replica) {
	e, now := &r.ejection, time.Now()
	if now.Sub(e.back) > forgottenBeyond {
		e.times = 0
	}
	e.since, e.until = now, now.Add(e.pause())
	p.ejected++
	p.telemetry.Metrics.Ejected(p.service, r.url.Host, true)
	p.warn("replica ejected", r, slog.String("reason", e.reason), slog.Float64("forMs", telemetry.Milliseconds(e.until.Sub(now))))
}

// readmit lets the replica in again; p.mu is held.
func (p *pool) readmit(r *replica) {
	e, now := &r.ejection, time.Now()
	p.warn("replica is back", r, slog.Float64("afterMs", telemetry.Milliseconds(now.Sub(e.since))))
	e.since, e.back = time.Time{}, now
	p.ejected--
	p.telemetry.Metrics.Ejected(p.service, r.url.Host, false)
}

// pause is how long the replica is left alone this time.
func (e *ejection) pause() time.Duration {
	pause := min(ejectedAtMost, ejectedFirst<<min(e.times, 10))
	e.times++
	return time.Duration(float64(pause) * (1 - ejectionJitter + 2*ejectionJitter*rand.Float64())) //nolint:gosec // no secret
}

// reasonOf is why an attempt counts as failed, in a word or two.
func reasonOf(resp *http.Response, err error, overtaken bool) string {
	var own *Error
	switch {
	case overtaken:
		return "slow"
	case errors.As(err, &own):
		return string(own.Kind)
	case err != nil:
		return string(BadAnswer)
	default:
		return strings.TrimSpace(strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode))
	}
}
