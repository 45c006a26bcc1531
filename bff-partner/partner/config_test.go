package partner_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/bff-partner/partner"
	"bff.internal/shared/platform"
	"bff.internal/shared/ratelimit"
)

func TestTheDefaultsAreThoseOfTheREADME(t *testing.T) {
	t.Parallel()
	cfg := partner.DefaultConfig()
	if err := platform.Load(&cfg, []string{
		"REDIS_URL=redis://redis:6379", "KEY_PEPPER=a pepper of the tests that is long enough", "ISSUER=" + issuer, "OIDC_CLIENT_SECRET=hunter2",
		"USERS_URLS=http://users:9001", "ORDERS_URLS=http://orders:9002", "ANALYTICS_URLS=http://analytics:9003",
	}); err != nil {
		t.Fatal(err)
	}
	type defaults struct {
		Addr, AdminAddr, ClientID string
		Limit                     ratelimit.Config
	}
	want := defaults{":8083", "127.0.0.1:9083", "bff-partner", ratelimit.Config{Rate: ratelimit.Rate{Requests: 600, Per: time.Minute}, Burst: 100}}
	if diff := cmp.Diff(want, defaults{cfg.Platform.Addr, cfg.Platform.AdminAddr, cfg.Own.ClientID, cfg.Limit}); diff != "" {
		t.Error(diff)
	}
}
