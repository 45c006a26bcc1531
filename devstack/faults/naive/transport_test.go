package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sony/gobreaker/v2"
	"go.uber.org/goleak"

	"bff.internal/shared/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// replica answers with its statuses in turn, and 200 when there are none left.
type replica struct {
	url      *url.URL
	calls    atomic.Int64
	statuses []int
}

func newReplica(t *testing.T, statuses ...int) *replica {
	t.Helper()
	r := &replica{statuses: statuses}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if call := int(r.calls.Add(1)); call <= len(r.statuses) {
			w.WriteHeader(r.statuses[call-1])
		}
	}))
	t.Cleanup(server.Close)
	var err error
	if r.url, err = url.Parse(server.URL); err != nil {
		t.Fatal(err)
	}
	return r
}

// newNaive is a transport whose connections end with the test.
func newNaive(t *testing.T, services ...upstream.Replicas) *transport {
	t.Helper()
	naive := newTransport(services...)
	t.Cleanup(func() { (&http.Client{Transport: naive.next}).CloseIdleConnections() })
	return naive
}

func call(ctx context.Context, t *testing.T, transport http.RoundTripper, method, target string) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, target, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}

func TestACallIsTriedUpToThreeTimesWhateverItsMethod(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		method   string
		statuses []int
		status   int
		err      error
		calls    int64
	}{
		{name: "answered at once", method: http.MethodGet, status: 200, calls: 1},
		{name: "a 4xx is an answer", method: http.MethodGet, statuses: []int{404}, status: 404, calls: 1},
		{name: "the third attempt is answered", method: http.MethodGet, statuses: []int{500, 503}, status: 200, calls: 3},
		{name: "a write is repeated too", method: http.MethodPost, statuses: []int{502}, status: 200, calls: 2},
		{name: "there is no fourth attempt", method: http.MethodGet, statuses: []int{500, 500, 500, 500}, err: errServer, calls: 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newReplica(t, tt.statuses...)
			status, err := call(t.Context(), t, newNaive(t, upstream.Replicas{r.url}), tt.method, r.url.String())
			if status != tt.status || !errors.Is(err, tt.err) || r.calls.Load() != tt.calls {
				t.Errorf("%d, %v after %d calls; want %d, %v after %d", status, err, r.calls.Load(), tt.status, tt.err, tt.calls)
			}
		})
	}
}

func TestReplicasTakeTurnsWhicheverWasAsked(t *testing.T) {
	t.Parallel()
	replicas := []*replica{newReplica(t), newReplica(t), newReplica(t)}
	naive := newNaive(t, upstream.Replicas{replicas[0].url, replicas[1].url, replicas[2].url})
	for range 9 {
		if status, err := call(t.Context(), t, naive, http.MethodGet, replicas[0].url.String()); status != http.StatusOK {
			t.Fatal(status, err)
		}
	}
	var calls []int64
	for _, r := range replicas {
		calls = append(calls, r.calls.Load())
	}
	if diff := cmp.Diff([]int64{3, 3, 3}, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestTheCircuitOfAServiceOpensAfterSixFailuresInARowAlsoOfCallersWhoLeft(t *testing.T) {
	t.Parallel()
	users, orders := newReplica(t), newReplica(t)
	naive := newNaive(t, upstream.Replicas{users.url}, upstream.Replicas{orders.url})
	left, leave := context.WithCancel(t.Context())
	leave()
	for range 6 {
		if _, err := call(left, t, naive, http.MethodGet, users.url.String()); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if _, err := call(t.Context(), t, naive, http.MethodGet, users.url.String()); !errors.Is(err, gobreaker.ErrOpenState) {
		t.Errorf("after six: %v", err)
	}
	if status, err := call(t.Context(), t, naive, http.MethodGet, orders.url.String()); status != http.StatusOK {
		t.Errorf("of another service: %d, %v", status, err)
	}
}

func TestWhoIsNoServiceIsAskedOnceAndWithoutACircuit(t *testing.T) {
	t.Parallel()
	issuer := newReplica(t, 500, 500, 500, 500, 500, 500, 500, 500)
	naive := newNaive(t, upstream.Replicas{newReplica(t).url})
	for range 8 {
		if status, err := call(t.Context(), t, naive, http.MethodGet, issuer.url.String()); status != http.StatusInternalServerError {
			t.Fatal(status, err)
		}
	}
	if status, err := call(t.Context(), t, naive, http.MethodPost, issuer.url.String()); status != http.StatusOK || issuer.calls.Load() != 9 {
		t.Errorf("%d, %v after %d calls", status, err, issuer.calls.Load())
	}
}

func TestTheHostOfARequestIsThatOfItsReplica(t *testing.T) {
	t.Parallel()
	hosts := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host }))
	t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	naive := newNaive(t, upstream.Replicas{{Scheme: "http", Host: "one.invalid"}, to})
	if status, err := call(t.Context(), t, naive, http.MethodGet, "http://one.invalid/"); status != http.StatusOK {
		t.Fatal(status, err)
	}
	if host := <-hosts; !strings.HasSuffix(server.URL, host) {
		t.Errorf("%q", host)
	}
}
