package upstream_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// usual is how long the answers take that a client has seen before a test begins, and twinAfter when a call gets a twin
// then, at the latest: a quantile may be an eighth too large.
const (
	usual     = 10 * time.Millisecond
	twinAfter = usual * 9 / 8
)

// seasoned returns a client that knows how long a usual answer takes, of a service that answers from now on with first
// and then with then. What is asked is counted from now on.
func seasoned(t *testing.T, policy upstream.Policy, replicas string, first, then upstreamtest.Answer) (*upstream.Client, *attempts) {
	t.Helper()
	a := &attempts{}
	client := clientOf(t, a, policy, replicas)
	a.Answer("/things/1", upstreamtest.Answer{After: usual, Body: `{"id":"1"}`})
	for range 100 {
		if _, err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	a.asked.Store(0)
	a.Handle("/things/1", func(*http.Request) upstreamtest.Answer {
		if a.asked.Load() == 1 {
			return first
		}
		return then
	})
	return client, a
}

// attempts is a service that counts what it is asked and what it gave up because nobody wanted the answer anymore.
type attempts struct {
	upstreamtest.Transport

	asked, cancelled atomic.Int32
}

func (a *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	a.asked.Add(1)
	resp, err := a.Transport.RoundTrip(req)
	if req.Context().Err() != nil {
		a.cancelled.Add(1)
	}
	return resp, err
}

func TestASlowCallGetsATwinAndTheFirstUsefulAnswerWins(t *testing.T) {
	t.Parallel()
	failed := upstreamtest.Answer{Status: 500}
	after := func(a upstreamtest.Answer, d time.Duration) upstreamtest.Answer { a.After = d; return a }
	slow := func(d time.Duration) upstreamtest.Answer { return after(good, d) }
	for _, tt := range []struct {
		name        string
		replicas    string // two when empty
		first, twin upstreamtest.Answer
		status      int // of the error; 0 when the value arrives
		asked       int32
		cancelled   int32
		least, most time.Duration
	}{
		{name: "the twin is faster", first: upstreamtest.Answer{Hang: true}, twin: slow(usual), asked: 2, cancelled: 1, least: 2 * usual, most: twinAfter + usual},
		{name: "the first is faster", first: slow(50 * time.Millisecond), twin: upstreamtest.Answer{Hang: true}, asked: 2, cancelled: 1, least: 50 * time.Millisecond, most: 50 * time.Millisecond},
		{name: "an answer in the usual time has none", first: slow(usual), twin: upstreamtest.Answer{Hang: true}, asked: 1, least: usual, most: usual},
		{name: "there is no other replica", replicas: "http://a.test", first: slow(time.Second), twin: good, asked: 1, least: time.Second, most: time.Second},
		{name: "a failure before is given back at once", first: failed, twin: good, status: 500, asked: 1},
		{name: "the twin fails", first: slow(50 * time.Millisecond), twin: failed, asked: 2, least: 50 * time.Millisecond, most: 50 * time.Millisecond},
		{name: "the twin is refused", first: slow(50 * time.Millisecond), twin: upstreamtest.Answer{Err: errRefused}, asked: 2, least: 50 * time.Millisecond, most: 50 * time.Millisecond},
		{name: "the first fails while the twin works", first: after(failed, 20*time.Millisecond), twin: slow(50 * time.Millisecond), asked: 2, least: 60 * time.Millisecond, most: twinAfter + 50*time.Millisecond},
		{name: "both fail: the first says why", first: after(failed, 50*time.Millisecond), twin: upstreamtest.Answer{Status: 503}, status: 500, asked: 2, least: 50 * time.Millisecond, most: 50 * time.Millisecond},
		{name: "both fail, the twin last: the first says why", first: after(failed, 20*time.Millisecond), twin: after(upstreamtest.Answer{Status: 503}, 50*time.Millisecond), status: 500, asked: 2, least: 60 * time.Millisecond, most: twinAfter + 50*time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				replicas := tt.replicas
				if replicas == "" {
					replicas = twoReplicas
				}
				client, service := seasoned(t, upstream.Policy{Without: upstream.Layers{Retry: true}}, replicas, tt.first, tt.twin)
				begun := time.Now()
				value, err := get(t.Context(), client)
				if took := time.Since(begun); took < tt.least || took > tt.most {
					t.Errorf("it took %v, want %v to %v", took, tt.least, tt.most)
				}
				if statusOf(err) != tt.status || (err == nil) != (value.ID == "1") {
					t.Errorf("Get = %v, %v; want status %d", value, err, tt.status)
				}
				if asked, cancelled := service.asked.Load(), service.cancelled.Load(); asked != tt.asked || cancelled != tt.cancelled {
					t.Errorf("%d attempts, %d of them cancelled; want %d and %d", asked, cancelled, tt.asked, tt.cancelled)
				}
				if requests := hosts(&service.Transport)[100:]; len(requests) == 2 && requests[0] == requests[1] {
					t.Errorf("the twin went to the same replica: %v", requests)
				}
			})
		})
	}
}

func TestNoWriteHasATwin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, service := seasoned(t, upstream.Policy{}, twoReplicas, upstreamtest.Answer{After: time.Second, Body: `{"id":"1"}`}, good)
		_, err := upstream.Send[thing](t.Context(), client, upstream.Write{Method: http.MethodPut, Target: aThing, IdempotencyKey: "k"})
		if asked := service.asked.Load(); err != nil || asked != 1 {
			t.Errorf("%d attempts, want 1; %v", asked, err)
		}
	})
}

func TestATwinIsNotFollowedByARetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failed := upstreamtest.Answer{Status: 500, After: 50 * time.Millisecond}
		client, service := seasoned(t, upstream.Policy{}, twoReplicas+",http://c.test", failed, failed)
		_, err := get(t.Context(), client)
		if asked := service.asked.Load(); err == nil || asked != 2 {
			t.Errorf("%d attempts, want 2; %v", asked, err)
		}
	})
}

func TestACallerThatLeavesEndsBothTwins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, service := seasoned(t, upstream.Policy{}, twoReplicas, upstreamtest.Answer{Hang: true}, upstreamtest.Answer{Hang: true})
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, leave)
		begun := time.Now()
		_, err := get(ctx, client)
		if took := time.Since(begun); kindOf(err) != upstream.Cancelled || took != 100*time.Millisecond {
			t.Errorf("%v after %v, want a caller that left after 100 ms", err, took)
		}
		if asked, cancelled := service.asked.Load(), service.cancelled.Load(); asked != 2 || cancelled != 2 {
			t.Errorf("%d attempts, %d of them cancelled; want both", asked, cancelled)
		}
	})
}

// statusOf is what the service said, or 0.
func statusOf(err error) int {
	e, ok := err.(*upstream.Error) //nolint:errorlint // that is what every error is
	if !ok {
		return 0
	}
	return e.Status
}
