package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

const twoReplicas = "http://a.test,http://b.test"

// firstThen answers a request with first and all that come after it with then.
func firstThen(first, then upstreamtest.Answer) *upstreamtest.Transport {
	var transport upstreamtest.Transport
	var asked atomic.Int32
	transport.Handle("/things/1", func(*http.Request) upstreamtest.Answer {
		if asked.Add(1) == 1 {
			return first
		}
		return then
	})
	return &transport
}

// hosts are the replicas that were asked, in order.
func hosts(transport *upstreamtest.Transport) []string {
	var hosts []string
	for _, req := range transport.Requests() {
		hosts = append(hosts, req.URL.Host)
	}
	return hosts
}

func TestACallIsMadeAgainAtAnotherReplica(t *testing.T) {
	t.Parallel()
	failed := upstreamtest.Answer{Status: http.StatusInternalServerError}
	for _, tt := range []struct {
		name     string
		replicas string // two when empty
		first    upstreamtest.Answer
		then     upstreamtest.Answer // good when the body is empty
		attempts int
		kind     upstream.Kind // "" means that the value arrives
	}{
		{name: "after 500", first: failed, attempts: 2},
		{name: "after 502", first: upstreamtest.Answer{Status: 502}, attempts: 2},
		{name: "after 503", first: upstreamtest.Answer{Status: 503}, attempts: 2},
		{name: "after 504", first: upstreamtest.Answer{Status: 504}, attempts: 2},
		{name: "after no connection", first: upstreamtest.Answer{Err: errRefused}, attempts: 2},
		{name: "after a connection that broke before the first byte", first: upstreamtest.Answer{Err: io.EOF}, attempts: 2},
		{name: "once at the most", replicas: twoReplicas + ",http://c.test", first: failed, then: failed, attempts: 2, kind: upstream.BadAnswer},
		{name: "never when there is no other", replicas: "http://a.test", first: failed, attempts: 1, kind: upstream.BadAnswer},
		{name: "never after a body that broke", first: upstreamtest.Answer{Body: `{"id"`, Broken: io.ErrUnexpectedEOF}, attempts: 1, kind: upstream.BadAnswer},
		{name: "never after half a value", first: upstreamtest.Answer{Body: `{"id"`}, attempts: 1, kind: upstream.BadAnswer},
		{name: "never after an answer that is too large", first: upstreamtest.Answer{Body: strings.Repeat(" ", 1<<20)}, attempts: 1, kind: upstream.BadAnswer},
		{name: "never after what is no JSON", first: upstreamtest.Answer{ContentType: "text/html"}, attempts: 1, kind: upstream.BadAnswer},
		{name: "never after a redirect", first: upstreamtest.Answer{Status: 302}, attempts: 1, kind: upstream.BadAnswer},
		{name: "never after 501", first: upstreamtest.Answer{Status: 501}, attempts: 1, kind: upstream.BadAnswer},
		{name: "never after 400", first: upstreamtest.Answer{Status: 400}, attempts: 1, kind: upstream.BadAnswer},
		{name: "never after 401", first: upstreamtest.Answer{Status: 401}, attempts: 1, kind: upstream.Denied},
		{name: "never after 404", first: upstreamtest.Answer{Status: 404}, attempts: 1, kind: upstream.Denied},
		{name: "never after 429", first: upstreamtest.Answer{Status: 429}, attempts: 1, kind: upstream.Shed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				then := tt.then
				if then.Status == 0 {
					then = good
				}
				transport := firstThen(tt.first, then)
				replicas := tt.replicas
				if replicas == "" {
					replicas = twoReplicas
				}
				begun := time.Now()
				_, err := get(t.Context(), clientOf(t, transport, upstream.Policy{}, replicas))
				if (err == nil) != (tt.kind == "") || kindOf(err) != tt.kind {
					t.Errorf("error = %v, want %q", err, tt.kind)
				}
				asked := hosts(transport)
				if len(asked) != tt.attempts || (len(asked) > 1 && asked[0] == asked[1]) {
					t.Errorf("asked %v, want %d that differ", asked, tt.attempts)
				}
				if took := time.Since(begun); took > 20*time.Millisecond {
					t.Errorf("it took %v, want a short pause", took)
				}
			})
		})
	}
}

func TestAServiceSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	never := time.Duration(-1)
	for _, tt := range []struct {
		name, retryAfter string
		deadline, after  time.Duration
	}{
		{"at once", "0", time.Second, 0},
		{"in a second that the deadline has", "1", 3 * time.Second, time.Second},
		{"in a second that the deadline does not have", "1", time.Second, never},
		{"at a date", "Sat, 01 Jan 2000 00:00:02 GMT", 3 * time.Second, 2 * time.Second},
		{"at a date beyond the deadline", "Sat, 01 Jan 2000 00:00:04 GMT", 3 * time.Second, never},
		{"at a date that has passed", "Sat, 01 Jan 1999 00:00:00 GMT", time.Second, 0},
		{"some time", "soon", time.Second, never},
		{"before now", "-1", time.Second, never},
		{"a number beyond all numbers", "99999999999999999999", time.Second, never},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := firstThen(upstreamtest.Answer{Status: 503, Header: http.Header{"Retry-After": {tt.retryAfter}}}, good)
				ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
				defer cancel()
				begun := time.Now()
				_, err := get(ctx, clientOf(t, transport, upstream.Policy{}, twoReplicas))
				took := time.Since(begun)
				if tt.after == never {
					if err == nil || took > 0 || len(hosts(transport)) != 1 {
						t.Errorf("%v after %v and %d attempts, want a failure at once", err, took, len(hosts(transport)))
					}
					return
				}
				if err != nil || took < tt.after || took > tt.after+20*time.Millisecond {
					t.Errorf("%v after %v, want the value after %v", err, took, tt.after)
				}
			})
		})
	}
}

func TestNoCallIsMadeAgainWhenItsDeadlineLeavesNoTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		usual    time.Duration // of the answers before; 0 means that there were none
		deadline time.Duration
		attempts int
	}{
		{"nothing is known, and it leaves little", 0, 9 * time.Millisecond, 1},
		{"nothing is known, and it leaves enough", 0, 50 * time.Millisecond, 2},
		{"it leaves less than an answer takes", 100 * time.Millisecond, 100 * time.Millisecond, 1},
		{"it leaves more than an answer takes", 100 * time.Millisecond, 150 * time.Millisecond, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for range 30 { // pauses are of random length
					transport := &upstreamtest.Transport{}
					client := clientOf(t, transport, upstream.Policy{}, twoReplicas)
					if tt.usual > 0 {
						transport.Answer("/things/1", upstreamtest.Answer{After: tt.usual, Body: `{"id":"1"}`})
						for range 30 {
							_, _ = get(t.Context(), client)
						}
					}
					before := len(hosts(transport))
					transport.Answer("/things/1", upstreamtest.Answer{Status: http.StatusBadGateway})
					ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
					if _, err := get(ctx, client); kindOf(err) != upstream.BadAnswer {
						t.Errorf("error = %v, want what the service said", err)
					}
					cancel()
					if got := len(hosts(transport)) - before; got != tt.attempts {
						t.Fatalf("%d attempts, want %d", got, tt.attempts)
					}
				}
			})
		})
	}
}

func TestACallerThatLeavesDuringThePauseIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := firstThen(upstreamtest.Answer{Status: 503, Header: http.Header{"Retry-After": {"5"}}}, good)
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, leave)
		begun := time.Now()
		_, err := get(ctx, clientOf(t, transport, upstream.Policy{}, twoReplicas))
		if took := time.Since(begun); !errors.Is(err, context.Canceled) || took != 100*time.Millisecond || len(hosts(transport)) != 1 {
			t.Errorf("%v after %v and %d attempts, want a caller that left", err, took, len(hosts(transport)))
		}
	})
}
