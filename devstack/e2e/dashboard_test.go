package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestSectionsAreFetchedInParallel(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.recovers(t)
	for _, service := range []string{s.Users, s.Orders, s.Analytics} {
		s.fault(t, service, `{"latency":"200ms"}`)
	}
	got := s.dashboard(t)
	if got.StatusCode != http.StatusOK {
		t.Fatalf("status = %d: %s", got.StatusCode, got.body)
	}
	var sum float64
	for metric := range strings.SplitSeq(got.Header.Get("Server-Timing"), ", ") {
		_, dur, _ := strings.Cut(metric, ";dur=")
		ms, err := strconv.ParseFloat(dur, 64)
		if err != nil || ms < 200 {
			t.Errorf("Server-Timing: %q, want a section of at least 200 ms", metric)
		}
		sum += ms
	}
	t.Logf("answered in %v; Server-Timing: %s", got.took, got.Header.Get("Server-Timing"))
	if took := got.took.Seconds() * 1000; took > sum/2 {
		t.Errorf("answered in %.0f ms, sections took %.0f ms: they did not overlap", took, sum)
	}
}

func TestWhatIsBroken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                      string
		users, orders, analytics  string // faults
		status                    int
		partial, body, code, also string
	}{
		{
			name: "Analytics hangs: answered without metrics", analytics: `{"hang":true}`, status: 200, partial: "metrics;reason=timeout",
			body: `"metrics":null,"_meta":{"sections":{"metrics":{"status":"unavailable","reason":"timeout"}}}}`,
		},
		{
			name: "Orders fail: answered without orders", orders: `{"status":503}`, status: 200, partial: "activeOrders;reason=bad_answer",
			body: `"activeOrders":null,"metrics":{`,
		},
		{name: "Users hang: a deadline", users: `{"hang":true}`, status: 504, code: "timeout"},
		{name: "Users fail: a bad answer", users: `{"status":500}`, status: 502, code: "bad_answer"},
		{name: "all three fail at once: one problem", users: `{"status":500}`, orders: `{"status":500}`, analytics: `{"status":500}`, status: 502, code: "bad_answer"},
		{name: "all three hang at once: one problem", users: `{"hang":true}`, orders: `{"hang":true}`, analytics: `{"hang":true}`, status: 504, code: "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.recovers(t)
			for service, faults := range map[string]string{s.Users: tt.users, s.Orders: tt.orders, s.Analytics: tt.analytics} {
				if faults != "" {
					s.fault(t, service, faults)
				}
			}
			got := s.dashboard(t)
			t.Logf("%d after %v: %s", got.StatusCode, got.took, got.Header.Get("Bff-Partial"))
			if got.StatusCode != tt.status || got.Header.Get("Bff-Partial") != tt.partial || !strings.Contains(got.body, tt.body) {
				t.Errorf("%d %s %s, want %d %s", got.StatusCode, got.Header.Get("Bff-Partial"), got.body, tt.status, tt.partial)
			}
			if got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control = %q, want no-store", got.Header.Get("Cache-Control"))
			}
			if tt.code != "" && got.code(t) != tt.code {
				t.Errorf("problem %s, want %s", got.body, tt.code)
			}

			var callers sync.WaitGroup
			for range 30 { // enough to open circuits
				callers.Go(func() {
					got, err := s.ask(t.Context(), s.Edge+"/mobile/dashboard")
					if err != nil || got.StatusCode != tt.status && got.StatusCode != http.StatusServiceUnavailable {
						t.Errorf("while it is broken: %v %d %s", err, got.StatusCode, got.body)
					}
				})
			}
			callers.Wait()
			for _, service := range []string{s.Users, s.Orders, s.Analytics} {
				s.fault(t, service, "")
			}
			s.recovers(t)
		})
	}
}

func TestAThousandDashboardsUnderRandomLatenciesAreTheSameBytes(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.recovers(t)
	want := s.dashboard(t).body
	ctx, stop := context.WithCancel(t.Context())
	var shaking, callers sync.WaitGroup
	for _, service := range []string{s.Users, s.Orders, s.Analytics} {
		shaking.Go(func() {
			for ctx.Err() == nil {
				s.fault(t, service, fmt.Sprintf(`{"latency":"%dms"}`, rand.IntN(60)))
				select {
				case <-time.After(5 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	var late atomic.Int64
	for range 10 {
		callers.Go(func() {
			for whole := 0; whole < 100 && late.Load() < 1000; {
				got, err := s.ask(ctx, s.Edge+"/mobile/dashboard")
				if err != nil {
					t.Error(err)
					return
				}
				if got.Header.Get("Bff-Partial") != "" || got.StatusCode == http.StatusGatewayTimeout || got.shed(t) {
					late.Add(1) // this machine is too busy: there is nothing to compare
					continue
				}
				if whole++; got.StatusCode != http.StatusOK || got.body != want {
					t.Errorf("%d %s, want %s", got.StatusCode, got.body, want)
				}
			}
		})
	}
	callers.Wait()
	stop()
	shaking.Wait()
	t.Logf("a thousand whole answers compared, %d were late", late.Load())
	if late.Load() >= 1000 {
		t.Error("as many were late")
	}
}

func TestTenThousandClientsThatLeaveOpenNoCircuitAndLeaveNoGoroutine(t *testing.T) { //nolint:paralleltest // it counts goroutines
	s := start(t)
	s.recovers(t)
	_ = s.openSocket(t, s.signedIn(t, "ada").Get("Cookie")).CloseNow() // bff-web has come up too
	before := runtime.NumGoroutine()
	for _, service := range []string{s.Users, s.Orders, s.Analytics} {
		s.fault(t, service, `{"latency":"150ms"}`)
	}
	const enough, clients = 10_000, 50
	for s.left(t) < enough { // some leave before their request is read, and do not count
		var leaving sync.WaitGroup
		for range clients {
			leaving.Go(func() {
				for range 100 {
					ctx, leave := context.WithTimeout(t.Context(), 10*time.Millisecond+rand.N(50*time.Millisecond))
					if got, err := s.ask(ctx, s.Mobile+"/mobile/dashboard"); err == nil && !got.shed(t) {
						t.Errorf("answered faster than the services do: %d %s", got.StatusCode, got.body)
					}
					leave()
				}
			})
		}
		leaving.Wait()
	}
	t.Logf("%d clients left in mid-flight", s.left(t))
	for _, service := range []string{s.Users, s.Orders, s.Analytics} {
		s.fault(t, service, "")
	}
	s.recovers(t)
	for _, state := range s.metrics(t, "upstream_circuit_state{") {
		if state != "0" {
			t.Errorf("a circuit is not closed: %s", state)
		}
	}
	s.client.CloseIdleConnections()
	if after := settled(t, before+20); after > before+20 {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("%d goroutines, before %d:\n%s", after, before, &stacks)
	}
}

// left is how many clients of the dashboard left in mid-flight, as bff-mobile counted them.
func (s *suite) left(t *testing.T) int {
	t.Helper()
	values := s.metrics(t, `http_request_duration_seconds_count{method="GET",route="/mobile/dashboard",status="499"}`)
	if len(values) == 0 {
		return 0
	}
	count, err := strconv.Atoi(values[0])
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// metrics returns the values of bff-mobile's metrics that begin so.
func (s *suite) metrics(t *testing.T, prefix string) []string {
	t.Helper()
	scraped, err := s.ask(t.Context(), s.MobileAdmin+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for line := range strings.Lines(scraped.body) {
		if strings.HasPrefix(line, prefix) {
			values = append(values, strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]))
		}
	}
	return values
}

// settled waits until there are at most so many goroutines, and returns how many there are: idle connections
// keep some for a while.
func settled(t *testing.T, most int) int {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		count := runtime.NumGoroutine()
		if count <= most || time.Now().After(deadline) {
			return count
		}
		runtime.Gosched()
	}
}
