package upstream_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// TestWhatIsWrongAndSinceWhen asks as an operator does, over HTTP.
func TestWhatIsWrongAndSinceWhen(t *testing.T) {
	t.Parallel()
	const one, three = "http://a.test", "http://a.test,http://b.test,http://c.test"
	failing := func(hosts ...string) func(*http.Request) upstreamtest.Answer {
		return func(req *http.Request) upstreamtest.Answer {
			if slices.Contains(hosts, req.URL.Host) {
				return upstreamtest.Answer{Status: http.StatusInternalServerError, After: time.Millisecond}
			}
			return upstreamtest.Answer{Body: `{"id":"1"}`, After: time.Millisecond}
		}
	}
	for _, tt := range []struct {
		name     string
		replicas string
		answer   func(*http.Request) upstreamtest.Answer
		calls    int
		state    string
		problems []string // parts of them, in order
	}{
		{"nothing was asked", one, failing(), 0, "ok", nil},
		{"all is well", one, failing(), 100, "ok", nil},
		{"too few failures for the circuit", one, failing("a.test"), 3, "degraded", []string{"http://a.test: fails now and then; last failure: 500 Internal Server Error, 2s ago"}},
		{"the only replica is dead", one, failing("a.test"), 50, "down", []string{"http://a.test: circuit open; last failure: 500 Internal Server Error"}},
		{"one of three is passed over", three, failing("b.test"), 100, "degraded", []string{"http://b.test: passed over; last failure: 500 Internal Server Error"}},
		{"all of three are dead", three, failing("a.test", "b.test", "c.test"), 200, "down", []string{"http://a.test: ", "http://b.test: ", "http://c.test: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport upstreamtest.Transport
				transport.Handle("/things/1", tt.answer)
				services := upstream.NewServices(upstream.Policy{}, &transport, upstreamtest.Telemetry(t), nil)
				client := services.Client("things", upstreamtest.Replicas(t, tt.replicas))
				begun := time.Now()
				for range tt.calls {
					_, _ = get(t.Context(), client)
				}
				<-time.After(2 * time.Second)

				got := ask(t, services).Services[0]
				if got.Name != "things" || got.State != tt.state || len(got.Problems) != len(tt.problems) {
					t.Fatalf("status = %+v, want %s with %q", got, tt.state, tt.problems)
				}
				for i, problem := range tt.problems {
					if !strings.HasPrefix(got.Problems[i], problem) {
						t.Errorf("problem %q, want %q", got.Problems[i], problem)
					}
				}
				if tt.state == "ok" {
					if !got.Since.IsZero() {
						t.Errorf("wrong since %v, though all is well", got.Since)
					}
				} else if got.Since.Before(begun) || got.Since.Sub(begun) > time.Second {
					t.Errorf("wrong since %v, want the time of the first failure, %v", got.Since, begun)
				}
				if got.Gate.InFlight != 0 || got.Gate.Waiting != 0 {
					t.Errorf("gate = %+v, though nobody asks", got.Gate)
				}
				if (got.Retries == nil) != (tt.replicas == one) || (got.Hedges == nil) != (tt.replicas == one) {
					t.Errorf("budgets of retries %v and hedges %v with %d replicas", got.Retries, got.Hedges, len(got.Replicas))
				}
			})
		})
	}
}

func TestSheddingIsToldForTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var transport upstreamtest.Transport
		transport.Answer("/things/1", upstreamtest.Answer{Body: `{"id":"1"}`, After: 100 * time.Millisecond})
		services := upstream.NewServices(upstream.Policy{MaxInFlight: 2, MaxWaiting: 3}, &transport, upstreamtest.Telemetry(t), nil)
		client := services.Client("things", upstreamtest.Replicas(t, "http://a.test"))
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() { _, _ = get(t.Context(), client) })
		}
		synctest.Wait()
		got := ask(t, services).Services[0]
		if want := "calls are shed, the last 0s ago: 2 in flight of 2, 3 waiting"; got.State != "degraded" || len(got.Problems) != 1 || got.Problems[0] != want {
			t.Errorf("state %s, problems %q; want %q", got.State, got.Problems, want)
		}
		if got.Gate.Shed != 5 || got.Replicas[0].InFlight != 2 || !got.Since.Equal(time.Now()) {
			t.Errorf("status = %+v, want five shed at %v", got, time.Now())
		}
		callers.Wait()
		<-time.After(10 * time.Second)
		if got := ask(t, services).Services[0]; got.State != "ok" || got.Gate.Shed != 5 {
			t.Errorf("later: %+v, want a service that is well", got)
		}
	})
}

func TestBrowsersGetAPageThatRefreshesItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var transport upstreamtest.Transport
		transport.Answer("/things/1", upstreamtest.Answer{Status: http.StatusBadGateway})
		services := upstream.NewServices(upstream.Policy{}, &transport, upstreamtest.Telemetry(t), nil)
		client := services.Client("things", upstreamtest.Replicas(t, "http://a.test,http://b.test"))
		for range 50 {
			_, _ = get(t.Context(), client)
		}
		<-time.After(3 * time.Second)
		rec := show(t.Context(), services, "text/html,application/xhtml+xml")
		body := rec.Body.String()
		for _, want := range []string{`http-equiv="refresh"`, "<title>things down", "http://a.test", "circuit open", "Bad Gateway", "for 3s", "retries", "hedges"} {
			if !strings.Contains(body, want) {
				t.Errorf("the page does not say %q:\n%s", want, body)
			}
		}
		if got := rec.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("Content-Type = %s", got)
		}
	})
}

func ask(t *testing.T, services *upstream.Services) upstream.Status {
	t.Helper()
	rec := show(t.Context(), services, "*/*")
	var status upstream.Status
	if err := json.Unmarshal(rec.Body.Bytes(), &status); err != nil || rec.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	if rec.Header().Get("Cache-Control") != "no-store" || !status.At.Equal(time.Now()) {
		t.Errorf("%v at %v, want an answer of this moment that nobody stores", rec.Header(), status.At)
	}
	return status
}

func show(ctx context.Context, services *upstream.Services, accept string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/upstreams", http.NoBody)
	req.Header.Set("Accept", accept)
	rec := httptest.NewRecorder()
	services.ServeHTTP(rec, req)
	return rec
}
