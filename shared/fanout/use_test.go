package fanout_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/cache"
	"bff.internal/shared/fanout"
)

func TestASectionThatWaitsForOthersIsGoodForLessThanItWas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := fanout.New(t.Context(), budget)
		fanout.Required(calls, "user", func(ctx context.Context, remaining time.Duration) (string, error) {
			cache.NotesFrom(ctx).Add(cache.Use{Status: cache.Hit, Explicit: true, Remaining: remaining})
			return "", nil
		}, 2*time.Second)
		fanout.Optional(calls, "metrics", func(context.Context, struct{}) (string, error) {
			<-time.After(250 * time.Millisecond)
			return "", nil
		}, struct{}{})
		report, err := calls.Wait()
		want := cache.Use{Status: cache.Hit, Explicit: true, Remaining: 1750 * time.Millisecond}
		if diff := cmp.Diff(want, report.Sections[0].Use); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
