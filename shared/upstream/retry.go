package upstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// Every call earns nearly a fifth of a retry, so that with what is overdrawn it is a fifth at the most; a burst of
	// failures may use up what quiet times have saved.
	retryShare = 0.18
	retrySaved = 10
	// retryFloor and retryOverdraft let a service with few calls have a retry before it is earned.
	retryFloor     = time.Second
	retryOverdraft = 2
	// retryJitter spreads retries, so that what made calls fail together does not meet them together again.
	retryJitter = 20 * time.Millisecond
	// longestPause is how long a service may let a call wait that has no deadline.
	longestPause = 10 * time.Second
	// usualAnswer is how long an answer takes as long as nobody knows better.
	usualAnswer = 10 * time.Millisecond
)

// retry makes a second attempt at another replica after one that failed: once at the most, when the call may be
// repeated, before the first byte of an answer or after a whole one that says the service failed, as long as the budget
// lasts and the deadline leaves time for it.
type retry struct {
	next    http.RoundTripper
	pool    *pool
	budget  *extraBudget
	waiting *atomic.Int32 // calls that wait for as long as a service has asked for
}

// maxWaitingLong is how many of these there may be: each holds a place in flight.
const maxWaitingLong = 2

func newRetryBudget() *extraBudget {
	return &extraBudget{share: retryShare, most: retrySaved, floor: retryFloor, overdraft: retryOverdraft}
}

func (l retry) RoundTrip(req *http.Request) (*http.Response, error) {
	call := callOf(req)
	resp, err := l.next.RoundTrip(req)
	if !call.repeatable || !failed(resp, err) {
		return resp, err
	}
	pause, ok := l.pause(req.Context(), resp)
	if !ok || !l.pool.admits(call) || !call.claimExtra() {
		return resp, err
	}
	if pause > retryJitter {
		defer l.waiting.Add(-1)
		if l.waiting.Add(1) > maxWaitingLong {
			return resp, err
		}
	}
	if !l.budget.spend(time.Now()) {
		return resp, err
	}
	call.paused = pause
	if !sleep(req.Context(), pause) {
		l.budget.refund()
		return nil, wireError(req.Context(), l.pool.service, req.Context().Err())
	}
	again, againErr := l.next.RoundTrip(req)
	if errors.Is(againErr, errOpen) { // since it was asked whether anybody admits it
		l.budget.refund()
		return resp, err
	}
	l.pool.telemetry.Metrics.ExtraAttempt(l.pool.service, "retry")
	if req.Method != http.MethodGet && !refused(err) && !made(again, againErr) {
		return resp, err // what was sent first may have made the change, whatever the second replica says
	}
	return again, againErr
}

// refused reports whether there was no connection, so that nothing can have been changed.
func refused(err error) bool {
	own, ok := errors.AsType[*Error](err)
	return ok && own.Kind == Refused
}

// made reports whether the answer says that a change was made.
func made(resp *http.Response, err error) bool {
	return err == nil && resp.StatusCode >= http.StatusOK && resp.StatusCode < http.StatusMultipleChoices
}

// failed reports whether another replica might do better, and nothing of this one's answer was lost on the way.
func failed(resp *http.Response, err error) bool {
	if err == nil {
		switch resp.StatusCode {
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		default:
			return false
		}
	}
	own, ok := errors.AsType[*Error](err)
	return ok && !own.begun && (own.Kind == Refused || own.Kind == BadAnswer)
}

// pause is how long to wait before the retry, as the service wants it if it says so; ok is false when an answer would
// come too late then.
func (l retry) pause(ctx context.Context, resp *http.Response) (pause time.Duration, ok bool) {
	pause = rand.N(retryJitter) //nolint:gosec // no secret
	if resp != nil {
		if text := resp.Header.Get("Retry-After"); text != "" {
			asked, ok := retryAfterOf(text, time.Now())
			if !ok {
				return 0, false
			}
			pause += asked
		}
	}
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return pause, pause <= longestPause
	}
	answer, _ := l.pool.latencies.quantiles(time.Now())
	if answer == 0 {
		answer = usualAnswer
	}
	return pause, time.Until(deadline) > pause+answer
}

// retryAfterOf reads the field Retry-After of RFC 9110, section 10.2.3: seconds or a date. A date that has passed is no
// time at all.
func retryAfterOf(text string, now time.Time) (after time.Duration, ok bool) {
	const longest = 1 << 31 // seconds; more is nonsense
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil {
		return time.Duration(min(seconds, longest)) * time.Second, true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return min(max(0, date.Sub(now)), longest*time.Second), true
}

// sleep lets d pass and reports whether it did so before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
