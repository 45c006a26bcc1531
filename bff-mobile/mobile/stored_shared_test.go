package mobile_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/upstream/upstreamtest"
)

func TestWhoAsksAtTheSameTimeSharesCallsWithNobodyElse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		users []string
		calls int // to each service
	}{
		{"one user", []string{"ada"}, 1},
		{"two users", []string{"ada", "bob"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newStoringBFF(t)
				for path, body := range map[string]string{"/users/me": userJSON, "/orders": ordersJSON, "/metrics": metricsJSON} {
					b.script.Answer(path, upstreamtest.Answer{Body: body, After: 100 * time.Millisecond})
				}
				var requests sync.WaitGroup
				bodies := make([]string, 200*len(tt.users))
				for i := range bodies {
					token := b.token(t, func(c jwt.MapClaims) { c["sub"] = tt.users[i%len(tt.users)] })
					requests.Go(func() { bodies[i] = b.get(t, "/mobile/dashboard", token).Body.String() })
				}
				requests.Wait()
				for _, body := range slices.Compact(bodies) {
					checkGolden(t, "dashboard", []byte(body))
				}
				want := slices.Concat(slices.Repeat([]string{"/metrics"}, tt.calls), slices.Repeat([]string{"/orders"}, tt.calls), slices.Repeat([]string{"/users/me"}, tt.calls))
				if diff := cmp.Diff(want, b.askedSince(0)); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			})
		})
	}
}
