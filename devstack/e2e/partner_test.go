package e2e_test

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"bff.internal/bff-partner/partner"
	"bff.internal/devstack/stack"
	"bff.internal/mockservices/identity"
	"bff.internal/shared/apikey"
	"bff.internal/shared/auth"
	"bff.internal/shared/platform"
	"bff.internal/shared/platform/platformtest"
	"bff.internal/shared/platform/redistest"
	"bff.internal/shared/ratelimit"
	"bff.internal/shared/secret"
	"bff.internal/shared/upstream"
	"bff.internal/shared/web"
)

const partnerDashboard = "/partner/v1/dashboard"

func withKey(key string) http.Header { return http.Header{"Authorization": {"Bearer " + key}} }

func TestAPartnerGetsItsDashboard(t *testing.T) {
	t.Parallel()
	s := start(t)
	key := s.partnerKey(t)
	got := s.as(t, http.MethodGet, s.Edge+partnerDashboard, withKey(key), "")
	var body struct {
		User         struct{ ID string }
		ActiveOrders []struct{ ID string }
		Metrics      *struct{ Window string }
	}
	if err := json.Unmarshal([]byte(got.body), &body); err != nil || got.StatusCode != http.StatusOK ||
		body.User.ID != "acme" || len(body.ActiveOrders) == 0 || body.Metrics == nil {
		t.Fatalf("%s: %s", got.Status, got.body)
	}
	limits := [2]string{got.Header.Get("RateLimit-Policy"), got.Header.Get("RateLimit")}
	if diff := cmp.Diff([2]string{`"partner";q=100;w=10`, `"partner";r=99;t=1`}, limits); diff != "" {
		t.Error(diff)
	}

	s.fault(t, s.Analytics, `{"status":503}`)
	got = s.as(t, http.MethodGet, s.Edge+partnerDashboard, withKey(key), "")
	if got.StatusCode != http.StatusOK || got.Header.Get("Bff-Partial") != "metrics;reason=bad_answer" || !strings.Contains(got.body, `"metrics":null`) {
		t.Errorf("without Analytics: %s: %s", got.Status, got.body)
	}
	s.fault(t, s.Analytics, "")

	s.fault(t, s.Orders, `{"status":500}`)
	got = s.as(t, http.MethodGet, s.Edge+partnerDashboard, withKey(key), "")
	if got.StatusCode != http.StatusBadGateway || got.code(t) != "bad_answer" || got.Header.Get("RateLimit") == "" {
		t.Errorf("without Orders: %s: %s", got.Status, got.body)
	}
}

// shared is a stack on a Redis of its own, which really is one.
func shared(t *testing.T, change func(*stack.Config)) (*suite, *redistest.Server) {
	t.Helper()
	server := redistest.Start(t, "--appendonly", "yes")
	cfg := stack.FreePorts()
	cfg.RedisURL = secret.New(server.URL())
	if change != nil {
		change(&cfg)
	}
	return startWith(t, cfg), server
}

// another starts one more replica of bff-partner.
func (s *suite) another(t *testing.T, limit ratelimit.Config) string {
	t.Helper()
	replicas := func(raw string) upstream.Replicas {
		parsed, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return upstream.Replicas{parsed}
	}
	p := platformtest.WithRedis(t, s.client.Transport, s.RedisURL.Reveal())
	server := httptest.NewServer(partner.New(partner.Config{
		Platform: platform.Config{}, Web: web.Config{ExternalURL: url.URL{Scheme: "http", Host: "localhost"}, MaxBody: 1 << 20},
		Keys: apikey.Config{Pepper: secret.New(stack.DevPepper)}, Limit: limit,
		Own: auth.OwnTokenConfig{
			Issuer: s.Issuer, InternalURL: s.Identity, ClientID: "bff-partner", ClientSecret: secret.New(identity.DevPartnerSecret),
		},
		Users: replicas(s.Users), Orders: replicas(s.Orders), Analytics: replicas(s.Analytics),
	}, p))
	t.Cleanup(server.Close)
	return server.URL
}

// TestTwoReplicasAdmitExactlyTheLimitAndTheBurst asks ten times as often as is allowed.
func TestTwoReplicasAdmitExactlyTheLimitAndTheBurst(t *testing.T) { //nolint:paralleltest // it takes every core
	const (
		perSecond, burst = 20, 30
		within           = 10 * time.Second
	)
	limit := ratelimit.Config{Rate: ratelimit.Rate{Requests: perSecond, Per: time.Second}, Burst: burst}
	s, server := shared(t, func(cfg *stack.Config) { cfg.PartnerLimit = limit })
	replicas := []string{s.Partner, s.another(t, limit)}
	key := s.partnerKey(t)

	var (
		mu       sync.Mutex
		statuses = map[int]int{}
		admitted int
		waiting  sync.WaitGroup
	)
	ask := func(replica string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, replica+partnerDashboard, http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = withKey(key)
		got, err := s.do(req)
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		statuses[got.StatusCode]++
		if got.Header.Get("RateLimit") != "" && got.StatusCode != http.StatusTooManyRequests {
			admitted++ // also where the answer took too long afterwards
		}
		if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); got.StatusCode == http.StatusTooManyRequests && (err != nil || wait != 1 || got.code(t) != "rate_limited") {
			t.Errorf("refused with Retry-After %q: %s", got.Header.Get("Retry-After"), got.body)
		}
	}
	before := time.Now()
	ask(replicas[0])
	first := time.Now()
	tick := time.NewTicker(time.Second / (10 * perSecond))
	defer tick.Stop()
	for i := 0; time.Since(before) < within; i++ {
		<-tick.C
		waiting.Go(func() { ask(replicas[i%len(replicas)]) })
	}
	waiting.Wait()
	last := time.Now()
	ask(replicas[1]) // takes what has come back by now
	after := time.Now()

	refused := statuses[http.StatusTooManyRequests]
	least := burst + int(math.Floor(last.Sub(first).Seconds()*perSecond))
	most := burst + int(math.Floor(after.Sub(before).Seconds()*perSecond)) + 1 // the one whose time is just coming
	t.Logf("%d admitted and %d refused in %v; the limit is %d to %d; answers: %v", admitted, refused, after.Sub(before), least, most, statuses)
	if admitted < least || admitted > most || refused < 5*admitted {
		t.Errorf("%v, want %d to %d admitted and the others refused", statuses, least, most)
	}
	checkTTLs(t, server)
}

// checkTTLs fails for every key that nobody gave a reason to stay.
func checkTTLs(t *testing.T, server *redistest.Server) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = client.Close() }()
	names, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(names) == 0 {
		t.Fatalf("%d keys, %v", len(names), err)
	}
	var kinds []string
	for _, name := range names {
		ttl, err := client.TTL(t.Context(), name).Result()
		stays := name == "apikey:ids" || name == "orders:changes" // docs/adr/0008
		if err != nil || (ttl <= 0 && !stays) {
			t.Errorf("%s: TTL %v, %v", name, ttl, err)
		}
		kinds = append(kinds, strings.SplitN(name, "{", 2)[0])
	}
	t.Logf("keys: %v", kinds)
}

func TestARevokedKeyIsRefusedByEveryReplicaAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	replicas := []string{s.Partner, s.another(t, ratelimit.Config{Rate: ratelimit.Rate{Requests: 600, Per: time.Minute}, Burst: 100})}
	client, err := platform.OpenRedis(s.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	store := apikey.NewStore(client)
	key, info, err := store.Create(t.Context(), apikey.Config{Pepper: secret.New(stack.DevPepper)}, apikey.Request{Partner: "globex", Scopes: partner.Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	for _, replica := range replicas {
		if got := s.as(t, http.MethodGet, replica+partnerDashboard, withKey(key.Reveal()), ""); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"user":{"id":"globex"`) {
			t.Errorf("%s: %s", got.Status, got.body)
		}
	}
	if _, err := store.Revoke(context.WithoutCancel(t.Context()), info.ID); err != nil {
		t.Fatal(err)
	}
	for _, replica := range replicas {
		if got := s.as(t, http.MethodGet, replica+partnerDashboard, withKey(key.Reveal()), ""); got.code(t) != "invalid_key" {
			t.Errorf("%s: %s", got.Status, got.body)
		}
	}
}
