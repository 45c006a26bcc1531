package mobile_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// judge holds an answer against the stated forms, and against what the services have seen of the request.
func (r *run) judge(got asked) form {
	r.Helper()
	f := formOf(got, r.wholes[got.caller])
	f.expectf(r.attempts.ended(got.id), "the answer was there before its exchanges had ended")
	if len(f.wrong) == 0 {
		for i, b := range r.backends {
			f.expectCause(i, b, got.id, r.usualLimits())
			if f.reasons[i] == "shed" && len(b.exchanges(got.id)) == 0 {
				r.count(aShed)
			}
			f.expectFewAttempts(b, got.id, r.attempts.hosts(got.id, b.name))
		}
	}
	if len(f.wrong) > 0 {
		r.Errorf("%s of %s: %q\n%d %v %s", got.id, callers[got.caller], f.wrong, got.answer.Code, got.answer.Header(), got.answer.Body)
	}
	r.count(f.name)
	return f
}

const (
	// thePlayed is how many schedules were played.
	thePlayed = "schedules"
	// aShed is a call that was not made because others were.
	aShed = "a call turned away"
)

// count notes that something has happened in some schedule.
func (r *run) count(what string) {
	counter, _ := r.reached.LoadOrStore(what, new(atomic.Int64))
	counter.(*atomic.Int64).Add(1) //nolint:forcetypeassert // nothing else is stored
}

// expectCause wants a reason to be what the service has done to the request.
func (f *form) expectCause(service int, b *backend, id string, usualLimits bool) {
	exchanges := b.exchanges(id)
	did := func(reason string) bool {
		return slices.ContainsFunc(exchanges, func(x *exchange) bool { return x.phase.fault.reason == reason })
	}
	reason, missing := f.reasons[service]
	f.expectf(!missing || b.harmed || !usualLimits, "%s is missing (%s), though the service was well", sections[service], reason)
	switch {
	case reason == "denied":
		f.expectf(did("denied"), "denied by nobody")
	case reason == "shed":
		f.expectf(len(exchanges) == 0 || did("shed"), "shed after %d exchanges", len(exchanges))
	case reason == "breaker_open":
		f.expectf(len(exchanges) == 0, "a breaker was open after %d exchanges", len(exchanges))
	case reason == "refused":
		f.expectf(b.turnedAway.Load() > 0, "nobody refused a connection")
	case reason == "bad_answer":
		f.expectf(did("bad_answer") || b.broken.Load() > 0, "nobody gave a bad answer")
	case !missing && (f.name == whole200 || len(f.reasons) > 0 && f.reasons[0] == ""):
		f.expectf(did(""), "%s comes from nobody", sections[service])
	}
}

// expectFewAttempts wants two attempts at most, at different replicas, each of which has one exchange for it. net/http may
// send one again on its own account when a connection ended without a byte of an answer.
func (f *form) expectFewAttempts(b *backend, id string, hosts []string) {
	f.expectf(len(hosts) <= 2, "%s was called at %v", b.name, hosts)
	f.expectf(len(hosts) < 2 || hosts[0] != hosts[1], "%s was called twice", hosts)
	exchanges := map[string]int{}
	for _, x := range b.exchanges(id) {
		f.expectf(slices.Contains(hosts, x.replica.host), "%s was asked without an attempt", x.replica.host)
		if !x.over.Load() || x.spoken.Load() {
			exchanges[x.replica.host]++
		}
	}
	for host, count := range exchanges {
		f.expectf(count == 1, "%s was asked %d times", host, count)
	}
}

// checkConnections wants no more connections than the transport may have.
func (r *run) checkConnections() {
	r.Helper()
	for _, b := range r.backends {
		for _, replica := range b.replicas {
			if opened := int(replica.opened.Load()); opened > r.transport.MaxConnsPerHost {
				r.Errorf("%d connections to %s, want at most %d", opened, replica.host, r.transport.MaxConnsPerHost)
			}
		}
	}
}

// checkReached wants the schedules to have led to everything that can happen, or they would show nothing.
func checkReached(t *testing.T, reached *sync.Map) {
	t.Helper()
	played := 0
	if counter, ok := reached.Load(thePlayed); ok {
		played = int(counter.(*atomic.Int64).Load()) //nolint:forcetypeassert // nothing else is stored
	}
	const tell = 400
	if played < tell {
		return
	}
	for _, want := range []string{
		whole200, "200 partial timeout", "200 partial refused", "200 partial denied", "200 partial bad_answer",
		"200 partial breaker_open", "200 partial shed", "401 invalid_token", "403 forbidden", "404 not_found",
		"502 bad_answer", "502 unreachable", "503 unavailable", "504 timeout", "client gone", aRetry, aTwin, aShed,
	} {
		if _, ok := reached.Load(want); !ok {
			t.Errorf("no %q in %d schedules", want, played)
		}
	}
}
