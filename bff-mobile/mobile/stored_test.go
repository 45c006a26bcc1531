package mobile_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/bff-mobile/mobile"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// newStoringBFF returns bff-mobile, which keeps answers, with services that answer well and say nothing about keeping.
func newStoringBFF(t *testing.T) bff {
	t.Helper()
	b := newBFF(t)
	cfg := config(t)
	cfg.Upstream = upstream.Policy{MaxInFlight: 256, MaxWaiting: 1024, CacheBytes: 1 << 20}
	b.Handler = mobile.New(cfg, platformtest.New(t, b.script))
	return b
}

// service is what a service knows, and says about keeping it.
type service struct{ control, tag string }

// answer is a 304 for whoever has the body already, as far as the tag says.
func (s service) answer(body string) func(*http.Request) upstreamtest.Answer {
	return func(req *http.Request) upstreamtest.Answer {
		a := upstreamtest.Answer{Body: body, Header: http.Header{}}
		if s.control != "" {
			a.Header.Set("Cache-Control", s.control)
		}
		if s.tag != "" {
			a.Header.Set("Etag", s.tag)
		}
		if s.tag != "" && req.Header.Get("If-None-Match") == s.tag {
			a.Status, a.Body = http.StatusNotModified, ""
		}
		return a
	}
}

// asked is which services have been asked since so many requests, and on which condition.
func (b bff) askedSince(before int) []string {
	paths := []string{}
	for _, req := range b.script.Requests()[before:] {
		if req.URL.Host != "issuer.test" {
			paths = append(paths, strings.TrimSpace(req.URL.Path+" "+req.Header.Get("If-None-Match")))
		}
	}
	slices.Sort(paths)
	return paths
}

var (
	forAnHour = service{control: "max-age=3600"}
	forError  = service{control: "max-age=0, stale-if-error=60", tag: `"o1"`}
)

func TestASecondDashboard(t *testing.T) {
	t.Parallel()
	const (
		hits  = "user; hit; ttl=3588, "
		stale = hits + "activeOrders; hit; ttl=-12, metrics; hit; ttl=3588"
	)
	fault := func(a upstreamtest.Answer) *upstreamtest.Answer { return &a }
	for _, tt := range []struct {
		name                  string
		user, orders, metrics service
		after                 time.Duration
		fault                 *upstreamtest.Answer // of orders by then
		asked                 []string
		golden                string
		control, status       string
		partial               string
		within                time.Duration
	}{
		{
			name: "what is fresh is not asked for", user: service{control: "max-age=30"}, metrics: forAnHour, after: 29 * time.Second,
			asked: []string{"/orders"}, golden: "dashboard", control: "private, no-cache", status: "user; hit; ttl=1, activeOrders; fwd=miss, metrics; hit; ttl=3571",
		},
		{
			name: "what was fresh is asked for", user: service{control: "max-age=30", tag: `"u1"`}, orders: forAnHour, metrics: forAnHour, after: 30 * time.Second,
			asked: []string{`/users/me "u1"`}, golden: "dashboard", control: "private, max-age=30", status: "user; fwd=stale; fwd-status=304, activeOrders; hit; ttl=3570, metrics; hit; ttl=3570",
		},
		{
			name: "orders that have not changed are not sent again", user: forAnHour, orders: forError, metrics: forAnHour, after: 12 * time.Second,
			asked: []string{`/orders "o1"`}, golden: "dashboard", control: "private, max-age=0", status: hits + "activeOrders; fwd=stale; fwd-status=304, metrics; hit; ttl=3588",
		},
		{
			name: "orders fail: those from before", user: forAnHour, orders: forError, metrics: forAnHour, after: 12 * time.Second, fault: fault(upstreamtest.Answer{Status: 500}),
			asked: []string{`/orders "o1"`}, golden: "dashboard-orders-stale", control: "private, max-age=0", status: stale,
		},
		{
			name: "orders are too busy: those from before", user: forAnHour, orders: forError, metrics: forAnHour, after: 12 * time.Second, fault: fault(upstreamtest.Answer{Status: 429}),
			asked: []string{`/orders "o1"`}, golden: "dashboard-orders-stale", control: "private, max-age=0", status: stale,
		},
		{
			name: "orders refuse connections: those from before", user: forAnHour, orders: forError, metrics: forAnHour, after: 12 * time.Second, fault: &refusedAnswer,
			asked: []string{`/orders "o1"`}, golden: "dashboard-orders-stale", control: "private, max-age=0", status: stale,
		},
		{
			name: "orders hang: those from before, before their deadline", user: forAnHour, orders: forError, metrics: forAnHour, after: 12 * time.Second, fault: fault(upstreamtest.Answer{Hang: true}),
			asked: []string{`/orders "o1"`}, golden: "dashboard-orders-stale", control: "private, max-age=0", within: 380 * time.Millisecond,
			// What came at once has waited for them.
			status: "user; hit; ttl=3587, activeOrders; hit; ttl=-13, metrics; hit; ttl=3587",
		},
		{
			name: "orders are denied: those from before are no answer", user: forAnHour, orders: forError, metrics: forAnHour, after: 12 * time.Second, fault: fault(upstreamtest.Answer{Status: 403}),
			asked: []string{`/orders "o1"`}, golden: "dashboard-orders-denied", control: "no-store", status: hits + "metrics; hit; ttl=3588", partial: "activeOrders;reason=denied",
		},
		{
			name: "orders fail for too long: none", user: forAnHour, orders: forError, metrics: forAnHour, after: time.Minute, fault: fault(upstreamtest.Answer{Status: 500}),
			asked: []string{`/orders "o1"`}, golden: "dashboard-orders-bad", control: "no-store", status: "user; hit; ttl=3540, metrics; hit; ttl=3540", partial: "activeOrders;reason=bad_answer",
		},
		{
			name: "orders fail of which nothing may be kept: none", user: forAnHour, orders: service{control: "no-store, max-age=60, stale-if-error=60", tag: `"o1"`}, metrics: forAnHour, fault: fault(upstreamtest.Answer{Status: 500}),
			asked: []string{"/orders"}, golden: "dashboard-orders-bad", control: "no-store", status: "user; hit; ttl=3600, metrics; hit; ttl=3600", partial: "activeOrders;reason=bad_answer",
		},
		{
			name: "it is good as long as all of it is", user: service{control: "max-age=30"}, orders: service{control: "private, max-age=20"}, metrics: service{control: "public, max-age=60"}, after: 5 * time.Second,
			asked: []string{}, golden: "dashboard", control: "private, max-age=15", status: "user; hit; ttl=25, activeOrders; hit; ttl=15, metrics; hit; ttl=55",
		},
		{
			name: "if a service does not say how long, it is asked each time", user: forAnHour, metrics: forAnHour,
			asked: []string{"/orders"}, golden: "dashboard", control: "private, no-cache", status: "user; hit; ttl=3600, activeOrders; fwd=miss, metrics; hit; ttl=3600",
		},
		{
			name: "if a service lets nobody keep its section, nobody keeps the dashboard", user: forAnHour, orders: service{control: "no-store"}, metrics: forAnHour,
			asked: []string{"/orders"}, golden: "dashboard", control: "no-store", status: "user; hit; ttl=3600, activeOrders; fwd=miss, metrics; hit; ttl=3600",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newStoringBFF(t)
				b.script.Handle("/users/me", tt.user.answer(userJSON))
				b.script.Handle("/orders", tt.orders.answer(ordersJSON))
				b.script.Handle("/metrics", tt.metrics.answer(metricsJSON))
				checkGolden(t, "dashboard", b.dashboard(t).Body.Bytes())
				if tt.fault != nil {
					b.script.Answer("/orders", *tt.fault)
				}
				before := len(b.script.Requests())
				<-time.After(tt.after)

				begun := time.Now()
				rec := b.dashboard(t)
				if took := time.Since(begun); took != tt.within {
					t.Errorf("took %v, want %v", took, tt.within)
				}
				if diff := cmp.Diff(tt.asked, b.askedSince(before)); diff != "" || rec.Code != http.StatusOK {
					t.Errorf("%d; asked (-want +got):\n%s", rec.Code, diff)
				}
				checkSchema(t, rec)
				checkGolden(t, tt.golden, rec.Body.Bytes())
				checkHeader(t, rec, map[string]string{"Cache-Control": tt.control, "Cache-Status": tt.status, "Bff-Partial": tt.partial})
				if tagged := rec.Header().Get("Etag") != ""; tagged != (tt.partial == "") {
					t.Errorf("ETag = %q", rec.Header().Get("Etag"))
				}
			})
		})
	}
}

func checkHeader(t *testing.T, rec *httptest.ResponseRecorder, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := rec.Header().Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
}

func TestOldMetricsAreShownAtOnceWhileNewOnesAreAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newStoringBFF(t)
		b.script.Handle("/users/me", forAnHour.answer(userJSON))
		b.script.Handle("/orders", forAnHour.answer(ordersJSON))
		metrics := service{control: "max-age=60, stale-while-revalidate=60"}
		b.script.Handle("/metrics", metrics.answer(metricsJSON))
		b.dashboard(t)
		<-time.After(70 * time.Second)
		b.script.Handle("/metrics", func(req *http.Request) upstreamtest.Answer {
			a := metrics.answer(strings.Replace(metricsJSON, `"orders":32`, `"orders":33`, 1))(req)
			a.After = 2 * time.Second // much longer than a dashboard may take
			return a
		})
		before, begun := len(b.script.Requests()), time.Now()
		for range 3 {
			rec := b.dashboard(t)
			checkSchema(t, rec)
			checkGolden(t, "dashboard-metrics-stale", rec.Body.Bytes())
			checkHeader(t, rec, map[string]string{"Cache-Control": "private, max-age=0", "Cache-Status": "user; hit; ttl=3530, activeOrders; hit; ttl=3530, metrics; hit; ttl=-10"})
		}
		synctest.Wait()
		if took, asked := time.Since(begun), b.askedSince(before); took != 0 || len(asked) != 1 {
			t.Errorf("took %v; %v were asked, want once for the metrics", took, asked)
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		rec := b.dashboard(t)
		checkGolden(t, "dashboard-metrics-new", rec.Body.Bytes())
		checkHeader(t, rec, map[string]string{"Cache-Control": "private, max-age=58"})
		if asked := b.askedSince(before); len(asked) != 1 {
			t.Errorf("%v were asked, want once for the metrics", asked)
		}
	})
}
