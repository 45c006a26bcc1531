package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestACallIsSentTwiceAtTheMostWhateverConnectionsBreak(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		policy upstream.Policy
		most   int32
	}{
		{"one repeat is the extra attempt of a call", upstream.Policy{}, 2},
		{"without Retry net/http repeats over every kept connection", upstream.Policy{Without: upstream.Layers{Retry: true, Break: true}}, 2 * keptConnections},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := timesSent(t, tt.policy); got > tt.most || tt.most > 2 && got <= 2 {
				t.Errorf("sent %d times, want at most %d", got, tt.most)
			}
		})
	}
}

const keptConnections = 20

// timesSent is how often a call is sent to services that break every kept connection, at the most.
func timesSent(t *testing.T, policy upstream.Policy) int32 {
	t.Helper()
	var breaks atomic.Bool
	var asked atomic.Int32
	var most int32
	var all sync.WaitGroup // until every connection is in use
	all.Add(keptConnections)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if breaks.Load() {
			panic(http.ErrAbortHandler)
		}
		all.Done()
		all.Wait()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"1"}`)
	})
	a, b := httptest.NewServer(handler), httptest.NewServer(handler)
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: keptConnections, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := clientOf(t, transport, policy, a.URL+","+b.URL)
	var callers sync.WaitGroup
	for range keptConnections {
		callers.Go(func() {
			if _, err := get(t.Context(), client); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	for i := range 5 {
		asked.Store(0)
		breaks.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if _, err := get(ctx, client); kindOf(err) != upstream.BadAnswer {
			t.Errorf("call %d: %v, want a bad answer", i, err)
		}
		cancel()
		most = max(most, asked.Load())
	}
	return most
}

func TestAWriteThatMayHaveBeenMadeIsNotToldAsOneThatWasNot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		first, then upstreamtest.Answer
		want        upstream.Kind // "" is a change that was made
	}{
		{"broken, then refused", upstreamtest.Answer{Err: io.EOF}, upstreamtest.Answer{Err: errRefused}, upstream.BadAnswer},
		{"502, then 409", upstreamtest.Answer{Status: 502}, upstreamtest.Answer{Status: 409}, upstream.BadAnswer},
		{"502, then 404", upstreamtest.Answer{Status: 502}, upstreamtest.Answer{Status: 404}, upstream.BadAnswer},
		{"502, then 429", upstreamtest.Answer{Status: 502}, upstreamtest.Answer{Status: 429}, upstream.BadAnswer},
		{"502, then made", upstreamtest.Answer{Status: 502}, upstreamtest.Answer{Status: 201, Body: `{"id":"1"}`}, ""},
		{"refused, then 409", upstreamtest.Answer{Err: errRefused}, upstreamtest.Answer{Status: 409}, upstream.Rejected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
				if asked.Add(1) == 1 {
					return tt.first
				}
				return tt.then
			}), upstream.Policy{}, twoReplicas)
			_, err := upstream.Send[thing](t.Context(), client, upstream.Write{Method: http.MethodPost, Target: aThing, IdempotencyKey: "k"})
			if kindOf(err) != tt.want || errors.Is(err, context.Canceled) || asked.Load() != 2 {
				t.Errorf("error = %v after %d attempts, want %q after 2", err, asked.Load(), tt.want)
			}
		})
	}
}
