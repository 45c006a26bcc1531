package partner_test

import (
	"bytes"
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
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
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
		name                  string
		golden                string // of the body, or "" for a problem
		user, orders, metrics upstreamtest.Answer
		status                int
		partial, code         string
		section               string // that the problem names
		within                time.Duration
		timing                string // Server-Timing, where it is not all zero
	}{
		{name: "all fresh", golden: "dashboard", status: 200},
		{
			name: "as slow as the slowest, not as the sum", golden: "dashboard", status: 200, within: ms(1900),
			user: upstreamtest.Answer{After: ms(1800)}, orders: upstreamtest.Answer{After: ms(1900)}, metrics: upstreamtest.Answer{After: ms(790)},
			timing: "user;dur=1800.0, activeOrders;dur=1900.0, metrics;dur=790.0",
		},
		{
			name: "new members upstream do not leak", golden: "dashboard", status: 200,
			user: withCanaries(partnerJSON), orders: withCanaries(ordersJSON), metrics: withCanaries(metricsJSON),
		},
		{name: "no active orders are an empty list", golden: "no_orders", status: 200, orders: upstreamtest.Answer{Body: `{"orders":[]}`}},
		{
			name: "services that know nearly nothing", golden: "sparse", status: 200,
			user: upstreamtest.Answer{Body: `{"id":"acme","address":{}}`}, orders: upstreamtest.Answer{Body: `{"orders":[{"id":"o","items":[{}]},{"id":"p"}]}`},
			metrics: upstreamtest.Answer{Body: `{"window":"30d","series":[{}]}`},
		},
		{
			name: "times of another zone, and days that are none", golden: "times", status: 200,
			user:    upstreamtest.Answer{Body: `{"id":"acme","createdAt":"2026-11-23T01:30:00+02:00"}`},
			orders:  upstreamtest.Answer{Body: `{"orders":[{"id":"o","placedAt":"2026-11-22T20:00:00.25-05:00","shipping":{"estimatedDelivery":"soon"}}]}`},
			metrics: upstreamtest.Answer{Body: `{"window":"30d","from":"2026-02-30","to":"2026-11-23","series":[]}`},
		},
		{
			name: "metrics hang: answered without them at their deadline", golden: "metrics_timeout", status: 200, partial: "metrics;reason=timeout",
			metrics: upstreamtest.Answer{Hang: true}, within: ms(800), timing: "user;dur=0.0, activeOrders;dur=0.0, metrics;dur=800.0",
		},
		{
			name: "metrics late: answered without them", golden: "metrics_timeout", status: 200, partial: "metrics;reason=timeout",
			metrics: upstreamtest.Answer{After: ms(801)}, within: ms(800), timing: "user;dur=0.0, activeOrders;dur=0.0, metrics;dur=800.0",
		},
		{name: "metrics refuse connections", golden: "metrics_refused", status: 200, partial: "metrics;reason=refused", metrics: refusedAnswer},
		{name: "metrics refuse our token", golden: "metrics_denied", status: 200, partial: "metrics;reason=denied", metrics: upstreamtest.Answer{Status: 403}},
		{name: "metrics fail", golden: "metrics_bad", status: 200, partial: "metrics;reason=bad_answer", metrics: upstreamtest.Answer{Status: 500}},
		{name: "metrics are too busy", golden: "metrics_shed", status: 200, partial: "metrics;reason=shed", metrics: upstreamtest.Answer{Status: 429}},

		{name: "the account hangs", status: 504, code: "timeout", section: "user", user: upstreamtest.Answer{Hang: true}, within: ms(2000), timing: "user;dur=2000.0, activeOrders;dur=0.0, metrics;dur=0.0"},
		{name: "the account fails", status: 502, code: "bad_answer", section: "user", user: upstreamtest.Answer{Status: 500}},
		{name: "an account without an id is none", status: 502, code: "bad_answer", section: "user", user: upstreamtest.Answer{Body: `{}`}},
		{name: "the account cannot be reached", status: 502, code: "unreachable", section: "user", user: refusedAnswer},
		{name: "the account's service is too busy", status: 503, code: "unavailable", section: "user", user: upstreamtest.Answer{Status: 429}},
		{name: "the account's service does not accept our token", status: 502, code: "bad_answer", section: "user", user: upstreamtest.Answer{Status: 401}},
		{name: "our token is not enough for the account", status: 502, code: "bad_answer", section: "user", user: upstreamtest.Answer{Status: 403}},
		{name: "nobody knows the partner of the key", status: 502, code: "bad_answer", section: "user", user: upstreamtest.Answer{Status: 404}},

		{name: "orders hang", status: 504, code: "timeout", section: "activeOrders", orders: upstreamtest.Answer{Hang: true}, within: ms(2000), timing: "user;dur=0.0, activeOrders;dur=2000.0, metrics;dur=0.0"},
		{name: "orders fail", status: 502, code: "bad_answer", section: "activeOrders", orders: upstreamtest.Answer{Status: 503}},
		{name: "an order without an id is none", status: 502, code: "bad_answer", section: "activeOrders", orders: upstreamtest.Answer{Body: `{"orders":[{}]}`}},
		{name: "orders without a list are unknown, not none", status: 502, code: "bad_answer", section: "activeOrders", orders: upstreamtest.Answer{Body: `{}`}},
		{name: "orders cannot be reached", status: 502, code: "unreachable", section: "activeOrders", orders: refusedAnswer},
		{name: "orders are too busy", status: 503, code: "unavailable", section: "activeOrders", orders: upstreamtest.Answer{Status: 429}},
		{name: "orders refuse our token", status: 502, code: "bad_answer", section: "activeOrders", orders: upstreamtest.Answer{Status: 403}},
		{
			name: "orders fail while the account is waited for: its cancelling does not count", status: 502, code: "bad_answer", section: "activeOrders", within: ms(10),
			user: upstreamtest.Answer{Hang: true}, orders: upstreamtest.Answer{Status: 500, After: ms(10)},
			timing: "user;dur=10.0, activeOrders;dur=10.0, metrics;dur=0.0",
		},
		{
			name: "all hang: one problem at the deadline, and the first section decides", status: 504, code: "timeout", section: "user", within: ms(2000),
			user: upstreamtest.Answer{Hang: true}, orders: upstreamtest.Answer{Hang: true}, metrics: upstreamtest.Answer{Hang: true},
			timing: "user;dur=2000.0, activeOrders;dur=2000.0, metrics;dur=800.0",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := miniredis.RunT(t)
			synctest.Test(t, func(t *testing.T) {
				b := newBFF(t, server)
				b.script.Answer("/partners/acme", orDefault(tt.user, partnerJSON))
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
				if got := rec.Header().Get("Bff-Partial"); got != tt.partial {
					t.Errorf("Bff-Partial = %q, want %q", got, tt.partial)
				}
				if uncached := rec.Header().Get("Cache-Control") == "no-store"; uncached != (tt.partial != "" || tt.status != 200) {
					t.Errorf("Cache-Control = %q", rec.Header().Get("Cache-Control"))
				}
				if got := rec.Header().Get("Server-Timing"); got != or(tt.timing, "user;dur=0.0, activeOrders;dur=0.0, metrics;dur=0.0") {
					t.Errorf("Server-Timing = %q", got)
				}
				if limit := rec.Header()["Ratelimit"]; !slices.Equal(limit, []string{`"partner";r=99;t=1`}) ||
					rec.Header().Get("RateLimit-Policy") != `"partner";q=100;w=10` {
					t.Errorf("RateLimit: %q, RateLimit-Policy: %q", limit, rec.Header().Get("RateLimit-Policy"))
				}
				if again := rec.Header().Get("Retry-After"); (again != "") != (tt.status == 503) {
					t.Errorf("Retry-After = %q", again)
				}
				if tt.golden != "" {
					checkGolden(t, tt.golden, rec)
					return
				}
				checkProblem(t, rec, tt.code, tt.section)
			})
		})
	}
}

// withCanaries is an answer with a member more in every object.
func withCanaries(body string) upstreamtest.Answer {
	return upstreamtest.Answer{Body: strings.ReplaceAll(body, "{", `{"canary":"hunter2",`)}
}

func orDefault(a upstreamtest.Answer, body string) upstreamtest.Answer {
	a.Body = or(a.Body, body)
	return a
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// checkGolden compares the body with a file, indented for whoever reads its diffs.
func checkGolden(t *testing.T, name string, rec *httptest.ResponseRecorder) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, rec.Body.Bytes(), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	indented.WriteByte('\n')
	path := filepath.Join("testdata", name+".golden.json")
	if *update {
		if err := os.WriteFile(path, indented.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), indented.String()); diff != "" {
		t.Errorf("%s (-want +got); go test ./... -update writes it anew:\n%s", path, diff)
	}
}

// checkProblem wants a problem that names no more than the section.
func checkProblem(t *testing.T, rec *httptest.ResponseRecorder, code, section string) {
	t.Helper()
	var p problem.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatalf("body %q: %v", rec.Body, err)
	}
	if rec.Header().Get("Content-Type") != problem.ContentType || p.Code != code || p.Status != rec.Code || p.TraceID == "" {
		t.Errorf("%s, want the problem %s", rec.Body, code)
	}
	if !strings.HasPrefix(p.Detail, "Without the section "+section+" there is no answer. ") {
		t.Errorf("detail %q, want it about %s", p.Detail, section)
	}
	for _, inner := range []string{".test", "users", "analytics", "refused", "acme", "at-partner"} {
		if strings.Contains(rec.Body.String(), inner) {
			t.Errorf("the caller learns %q: %s", inner, rec.Body)
		}
	}
}

func TestAPanicInASectionIsThatSectionsFailure(t *testing.T) {
	t.Parallel()
	b := newBFF(t, miniredis.RunT(t))
	b.script.Handle("/metrics", func(*http.Request) upstreamtest.Answer { panic("hunter2") })
	if rec := b.dashboard(t); rec.Code != http.StatusOK || rec.Header().Get("Bff-Partial") != "metrics;reason=bad_answer" {
		t.Errorf("metrics panic: %d %s", rec.Code, rec.Body)
	} else {
		checkGolden(t, "metrics_bad", rec)
	}
	b.script.Handle("/orders", func(*http.Request) upstreamtest.Answer { panic("hunter2") })
	if rec := b.dashboard(t); rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "hunter2") {
		t.Errorf("orders panic: %d %s", rec.Code, rec.Body)
	} else {
		checkProblem(t, rec, "internal", "activeOrders")
	}
}

func TestDashboardsUnderRandomLatenciesAreTheSameBytes(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBFF(t, server)
		late := func(body string, longest time.Duration) func(*http.Request) upstreamtest.Answer {
			return func(*http.Request) upstreamtest.Answer {
				return upstreamtest.Answer{Body: body, After: rand.N(longest)}
			}
		}
		b.script.Handle("/partners/acme", late(partnerJSON, 1900*time.Millisecond))
		b.script.Handle("/orders", late(ordersJSON, 1900*time.Millisecond))
		b.script.Handle("/metrics", late(metricsJSON, 790*time.Millisecond))
		want := b.dashboard(t).Body.String()
		if !strings.HasPrefix(want, `{"user":{"id":"acme"`) {
			t.Fatalf("body = %s", want)
		}
		for range 50 { // one after the other, for Redis is asked under the real clock
			if got := b.dashboard(t).Body.String(); got != want {
				t.Fatalf("body = %s, want %s", got, want)
			}
		}
	})
}
