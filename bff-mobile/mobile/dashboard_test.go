package mobile_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/problem"
	"bff.internal/shared/upstream/upstreamtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

var refusedAnswer = upstreamtest.Answer{Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}}

func TestDashboard(t *testing.T) {
	t.Parallel()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, tt := range []struct {
		name    string
		golden  string // of the body, or "" for a problem
		user    upstreamtest.Answer
		orders  upstreamtest.Answer
		metrics upstreamtest.Answer
		status  int
		partial string
		code    string
		within  time.Duration
	}{
		{name: "all fresh", golden: "dashboard", status: 200},
		{
			name: "as slow as the slowest, not as the sum", golden: "dashboard", status: 200, within: ms(290),
			user: upstreamtest.Answer{After: ms(200)}, orders: upstreamtest.Answer{After: ms(280)}, metrics: upstreamtest.Answer{After: ms(290)},
		},
		{name: "a new member upstream does not leak", golden: "dashboard", status: 200, user: upstreamtest.Answer{Body: strings.Replace(userJSON, "{", `{"password":"hunter2",`, 1)}},
		{name: "no active orders are an empty list", golden: "dashboard-no-orders", status: 200, orders: upstreamtest.Answer{Body: `{"orders":[]}`}},
		{name: "an order that nobody can date", golden: "dashboard-order-undated", status: 200, orders: upstreamtest.Answer{Body: `{"orders":[{"id":"o1","status":"placed"}]}`}},
		{name: "an order without an id is no order", golden: "dashboard-orders-bad", status: 200, partial: "activeOrders;reason=bad_answer", orders: upstreamtest.Answer{Body: `{"orders":[{}]}`}},
		{name: "a user without an id is no user", status: 502, code: "bad_answer", user: upstreamtest.Answer{Body: `{}`}},
		{name: "metrics hang: answered without them at their deadline", golden: "dashboard-metrics-timeout", status: 200, partial: "metrics;reason=timeout", within: ms(300), metrics: upstreamtest.Answer{Hang: true}},
		{name: "orders late: answered without them", golden: "dashboard-orders-timeout", status: 200, partial: "activeOrders;reason=timeout", within: ms(400), orders: upstreamtest.Answer{After: ms(401)}},
		{name: "metrics refuse connections", golden: "dashboard-metrics-refused", status: 200, partial: "metrics;reason=refused", metrics: refusedAnswer},
		{name: "metrics are denied", golden: "dashboard-metrics-denied", status: 200, partial: "metrics;reason=denied", metrics: upstreamtest.Answer{Status: 403}},
		{name: "metrics fail", golden: "dashboard-metrics-bad", status: 200, partial: "metrics;reason=bad_answer", metrics: upstreamtest.Answer{Status: 500}},
		{name: "metrics are too busy", golden: "dashboard-metrics-shed", status: 200, partial: "metrics;reason=shed", metrics: upstreamtest.Answer{Status: 429}},
		{
			name: "orders and metrics both gone", golden: "dashboard-user-only", status: 200, partial: "activeOrders;reason=bad_answer, metrics;reason=timeout", within: ms(300),
			orders: upstreamtest.Answer{Status: 503}, metrics: upstreamtest.Answer{Hang: true},
		},
		{name: "the user hangs", status: 504, code: "timeout", within: ms(800), user: upstreamtest.Answer{Hang: true}},
		{name: "the user fails", status: 502, code: "bad_answer", user: upstreamtest.Answer{Status: 500}},
		{name: "the user cannot be reached", status: 502, code: "unreachable", user: refusedAnswer},
		{name: "the user's service is too busy", status: 503, code: "unavailable", user: upstreamtest.Answer{Status: 429}},
		{name: "the token is refused upstream", status: 401, code: "invalid_token", user: upstreamtest.Answer{Status: 401}},
		{name: "the token is not enough upstream", status: 403, code: "forbidden", user: upstreamtest.Answer{Status: 403}},
		{name: "there is no such user", status: 404, code: "not_found", user: upstreamtest.Answer{Status: 404}},
		{
			name: "all fail at once: one problem", status: 502, code: "bad_answer",
			user: upstreamtest.Answer{Status: 500}, orders: refusedAnswer, metrics: upstreamtest.Answer{Body: "]"},
		},
		{
			name: "all hang: one problem at the deadline", status: 504, code: "timeout", within: ms(800),
			user: upstreamtest.Answer{Hang: true}, orders: upstreamtest.Answer{Hang: true}, metrics: upstreamtest.Answer{Hang: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBFF(t)
				b.get(t, "/mobile/dashboard", b.token(t, nil)) // fetches the issuer's keys
				b.script.Answer("/users/me", orDefault(tt.user, userJSON))
				b.script.Answer("/orders", orDefault(tt.orders, ordersJSON))
				b.script.Answer("/metrics", orDefault(tt.metrics, metricsJSON))

				begun := time.Now()
				rec := b.dashboard(t)
				if took := time.Since(begun); took != tt.within {
					t.Errorf("took %v, want %v", took, tt.within)
				}
				if rec.Code != tt.status {
					t.Fatalf("status = %d, want %d: %s", rec.Code, tt.status, rec.Body)
				}
				checkSchema(t, rec)
				if got := rec.Header().Get("Bff-Partial"); got != tt.partial {
					t.Errorf("Bff-Partial = %q, want %q", got, tt.partial)
				}
				if uncached := rec.Header().Get("Cache-Control") == "no-store"; uncached != (tt.partial != "" || tt.status != 200) {
					t.Errorf("Cache-Control = %q", rec.Header().Get("Cache-Control"))
				}
				if tt.golden != "" {
					checkGolden(t, tt.golden, rec.Body.Bytes())
					return
				}
				checkProblem(t, rec, tt.code)
			})
		})
	}
}

func orDefault(a upstreamtest.Answer, body string) upstreamtest.Answer {
	if a.Body == "" {
		a.Body = body
	}
	return a
}

// checkGolden compares a body with testdata/name.json, which is indented for readers.
func checkGolden(t *testing.T, name string, body []byte) {
	t.Helper()
	var pretty strings.Builder
	encoder := json.NewEncoder(&pretty)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(json.RawMessage(body)); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, []byte(pretty.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
		t.Errorf("%s (-want +got); go test ./... -update writes it anew:\n%s", file, diff)
	}
}

func checkProblem(t *testing.T, rec *httptest.ResponseRecorder, code string) {
	t.Helper()
	var p problem.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatalf("body %q: %v", rec.Body, err)
	}
	if rec.Header().Get("Content-Type") != problem.ContentType || p.Code != code || p.Status != rec.Code || p.TraceID == "" {
		t.Errorf("%s, want the problem %s", rec.Body, code)
	}
	for _, inner := range []string{".test", "users", "analytics", "refused"} {
		if strings.Contains(rec.Body.String(), inner) {
			t.Errorf("the caller learns %q: %s", inner, rec.Body)
		}
	}
}

func TestWhatTheServicesAreAsked(t *testing.T) {
	t.Parallel()
	b := newBFF(t)
	b.dashboard(t)
	var asked []string
	for _, req := range b.script.Requests() {
		if req.URL.Host != "issuer.test" {
			asked = append(asked, req.Method+" "+req.URL.String())
		}
	}
	slices.Sort(asked)
	want := []string{
		"GET http://analytics.test/metrics?user=me&window=30d",
		"GET http://orders.test/orders?status=active&user=me",
		"GET http://users.test/users/me",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAThousandDashboardsUnderRandomLatenciesAreTheSameBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBFF(t)
		late := func(body string, longest time.Duration) func(*http.Request) upstreamtest.Answer {
			return func(*http.Request) upstreamtest.Answer {
				return upstreamtest.Answer{Body: body, After: rand.N(longest)}
			}
		}
		b.script.Handle("/users/me", late(userJSON, 700*time.Millisecond))
		b.script.Handle("/orders", late(ordersJSON, 390*time.Millisecond))
		b.script.Handle("/metrics", late(metricsJSON, 290*time.Millisecond))
		token := b.token(t, nil)
		want := b.get(t, "/mobile/dashboard", token).Body.String()
		if !strings.HasPrefix(want, `{"user":{"id":"ada"`) {
			t.Fatalf("body = %s", want)
		}
		room := make(chan struct{}, 20) // more at a time would wait for each other, beyond their deadlines
		var callers sync.WaitGroup
		for range 1000 {
			room <- struct{}{}
			callers.Go(func() {
				defer func() { <-room }()
				if got := b.get(t, "/mobile/dashboard", token).Body.String(); got != want {
					t.Errorf("body = %s, want %s", got, want)
				}
			})
		}
		callers.Wait()
	})
}

func TestTenThousandClientsThatLeaveOpenNoCircuit(t *testing.T) { //nolint:paralleltest // it takes every core
	synctest.Test(t, func(t *testing.T) {
		b := newBFF(t)
		token := b.token(t, nil)
		for _, path := range []string{"/users/me", "/orders", "/metrics"} {
			b.script.Answer(path, upstreamtest.Answer{Hang: true})
		}
		const most = 20 // more at a time would be shed, which is an answer
		tokens := make(chan string, most)
		for i := range most { // somebody who stays would wait for what another one has asked
			tokens <- b.token(t, func(claims jwt.MapClaims) { claims["sub"] = strconv.Itoa(i) })
		}
		var callers sync.WaitGroup
		for range 10_000 {
			token := <-tokens
			callers.Go(func() {
				defer func() { tokens <- token }()
				ctx, leave := context.WithCancel(t.Context())
				time.AfterFunc(rand.N(250*time.Millisecond), leave)
				req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/mobile/dashboard", http.NoBody)
				req.Header.Set("Authorization", "Bearer "+token)
				rec := httptest.NewRecorder()
				defer func() {
					if recover() != any(http.ErrAbortHandler) || rec.Body.Len() != 0 {
						t.Errorf("answered somebody who had left: %s", rec.Body)
					}
				}()
				b.ServeHTTP(rec, req)
			})
		}
		callers.Wait()

		b.script.Answer("/users/me", upstreamtest.Answer{Body: userJSON})
		b.script.Answer("/orders", upstreamtest.Answer{Body: ordersJSON})
		b.script.Answer("/metrics", upstreamtest.Answer{Body: metricsJSON})
		if rec := b.get(t, "/mobile/dashboard", token); rec.Code != http.StatusOK || rec.Header().Get("Bff-Partial") != "" {
			t.Errorf("afterwards: %d %s", rec.Code, rec.Body)
		}
	})
}

func TestTheDashboardIsSmall(t *testing.T) {
	t.Parallel()
	rec := newBFF(t).dashboard(t)
	upstreams := len(userJSON) + len(ordersJSON) + len(metricsJSON)
	if 3*rec.Body.Len() > upstreams {
		t.Errorf("%d bytes of %d that the services sent; want at most a third", rec.Body.Len(), upstreams)
	}
}
