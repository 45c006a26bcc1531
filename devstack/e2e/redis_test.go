package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bff.internal/shared/platform/redistest"
)

// hopeless is far above the 150 ms that a Redis which is away may add, so that a slow machine fails nothing, and far
// below the five seconds that go-redis waits when nobody tells it otherwise.
const hopeless = 2 * time.Second

// TestWithoutRedis is the table of what happens to each BFF when Redis is away, and that it is over soon after.
func TestWithoutRedis(t *testing.T) { //nolint:paralleltest // it measures
	for _, away := range []struct { //nolint:paralleltest // the same
		name        string
		leave, back func(t *testing.T, server *redistest.Server)
	}{
		{
			"stopped",
			func(_ *testing.T, server *redistest.Server) { server.Stop() },
			func(_ *testing.T, server *redistest.Server) { server.Restart() },
		},
		{
			"frozen",
			func(_ *testing.T, server *redistest.Server) { server.Freeze() },
			func(_ *testing.T, server *redistest.Server) { server.Thaw() },
		},
	} {
		t.Run(away.name, func(t *testing.T) {
			s, server := shared(t, nil)
			session := s.signedIn(t, "ada")
			partnerKey := withKey(s.partnerKey(t))
			bffs := []struct {
				name, path string
				header     http.Header
				status     int
				code       string
			}{
				{"bff-mobile goes on", "/mobile/dashboard", http.Header{"Authorization": {"Bearer " + s.token}}, 200, ""},
				{"bff-web is closed", "/web/dashboard", session, 503, "session_unavailable"},
				{"bff-partner is closed", partnerDashboard, partnerKey, 503, "identity_unavailable"},
			}
			for _, bff := range bffs {
				if got := s.as(t, http.MethodGet, s.Edge+bff.path, bff.header, ""); got.StatusCode != http.StatusOK {
					t.Fatalf("before: %s: %s %s", bff.name, got.Status, got.body)
				}
			}
			away.leave(t, server)
			for _, bff := range bffs {
				var took []time.Duration
				for range 20 {
					got := s.as(t, http.MethodGet, s.Edge+bff.path, bff.header, "")
					took = append(took, got.took)
					if got.StatusCode != bff.status || (bff.code != "" && got.code(t) != bff.code) {
						t.Errorf("%s: %s %s", bff.name, got.Status, got.body)
					}
					if bff.status == http.StatusServiceUnavailable && (got.Header.Get("Retry-After") == "" || len(got.Header.Values("Set-Cookie")) > 0) {
						t.Errorf("%s: headers %v", bff.name, got.Header)
					}
				}
				slices.Sort(took)
				t.Logf("%s: half of the answers within %v, all within %v", bff.name, took[len(took)/2], took[len(took)-1])
				if took[len(took)/2] > hopeless {
					t.Errorf("%s: Redis holds everybody up", bff.name)
				}
			}
			away.back(t, server)
			back := time.Now()
			for _, bff := range bffs {
				s.eventually(t, func() bool {
					return s.as(t, http.MethodGet, s.Edge+bff.path, bff.header, "").StatusCode == http.StatusOK
				})
			}
			t.Logf("all are back after %v", time.Since(back))
		})
	}
}

// TestARedisThatTakesNothingLeavesTheLimitToTheReplica: keys can be read, and nothing can be counted.
func TestARedisThatTakesNothingLeavesTheLimitToTheReplica(t *testing.T) {
	t.Parallel()
	s, server := shared(t, nil)
	replica := s.another(t, s.cfg.PartnerLimit)
	key := withKey(s.partnerKey(t))
	admin := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer func() { _ = admin.Close() }()
	policy := func(server string) string {
		got := s.as(t, http.MethodGet, server+partnerDashboard, key, "")
		return strings.Join([]string{got.Status, got.Header.Get("RateLimit-Policy")}, " ")
	}
	const whole, half = `200 OK "partner";q=100;w=10`, `200 OK "partner";q=50;w=10`
	if got := policy(replica); got != whole {
		t.Errorf("before: %s", got)
	}
	// Both have to have seen the other, or their share is not a half: each counts at its own beats.
	replicas := func() []redis.Z {
		return admin.ZRangeWithScores(t.Context(), "replicas:{bff-partner}", 0, -1).Val()
	}
	s.eventually(t, func() bool { return len(replicas()) == 2 })
	together := replicas()[1].Score
	s.eventually(t, func() bool { both := replicas(); return len(both) == 2 && both[0].Score > together })
	if err := admin.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	for _, server := range []string{s.Partner, replica} {
		s.eventually(t, func() bool { return policy(server) == half })
	}
	if err := admin.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	for _, server := range []string{s.Partner, replica} {
		s.eventually(t, func() bool { return policy(server) == whole })
	}
}
