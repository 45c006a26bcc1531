package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"bff.internal/shared/cache"
	"bff.internal/shared/fanout"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

func TestAnAnswerIsAsGoodAsItsSections(t *testing.T) {
	t.Parallel()
	hit := cache.Use{Status: cache.Hit, Explicit: true, Remaining: 12500 * time.Millisecond, Age: 3 * time.Second}
	revalidated := cache.Use{Status: cache.Revalidated, Explicit: true}
	stale := cache.Use{Status: cache.Stale, Explicit: true, Remaining: -1500 * time.Millisecond, Age: 31900 * time.Millisecond}
	type told struct{ Body, CacheControl, CacheStatus string }
	const whole = `{"user":"a","lines":["b"]}`
	for _, tt := range []struct {
		name           string
		user, activity cache.Use
		err            error // of the activity
		want           told
	}{
		{"nothing is kept", cache.Use{}, cache.Use{}, nil, told{whole, "private, no-cache", ""}},
		{
			"the shortest time counts, in whole seconds", hit,
			cache.Use{Status: cache.Miss, Explicit: true, Remaining: time.Minute},
			nil,
			told{whole, "private, max-age=12", "user; hit; ttl=12, activity; fwd=miss"},
		},
		{
			"one that is good only now", hit, revalidated, nil,
			told{whole, "private, max-age=0", "user; hit; ttl=12, activity; fwd=stale; fwd-status=304"},
		},
		{
			"one of which nobody knows for how long it is good", hit,
			cache.Use{Status: cache.Collapsed},
			nil,
			told{whole, "private, no-cache", "user; hit; ttl=12, activity; fwd=miss; collapsed"},
		},
		{
			"one that nobody may keep", hit,
			cache.Use{Status: cache.Miss, Forbidden: true},
			nil,
			told{whole, "no-store", "user; hit; ttl=12, activity; fwd=miss"},
		},
		{
			"a stale one is there, and its age is said", hit, stale, nil,
			told{
				`{"user":"a","lines":["b"],"_meta":{"sections":{"activity":{"status":"stale","age":31}}}}`,
				"private, max-age=0", "user; hit; ttl=12, activity; hit; ttl=-2",
			},
		},
		{
			"a stale one beside a missing one", stale,
			cache.Use{},
			errors.New("broken"),
			told{
				`{"user":"a","lines":null,"_meta":{"sections":{"activity":{"status":"unavailable","reason":"bad_answer"},"user":{"status":"stale","age":31}}}}`,
				"no-store", "user; hit; ttl=-2",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec := answerOf(t, tt.user, tt.activity, tt.err)
			got := told{rec.Body.String(), rec.Header().Get("Cache-Control"), rec.Header().Get("Cache-Status")}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

// answerOf is a page whose two sections came about so.
func answerOf(t *testing.T, user, activity cache.Use, err error) *httptest.ResponseRecorder {
	t.Helper()
	tel, openErr := telemetry.Open(t.Context(), telemetry.Config{}, "test", &lines{})
	if openErr != nil {
		t.Fatal(openErr)
	}
	s := web.New(web.Config{MaxBody: maxBody}, tel)
	s.GET("/page", func(c echo.Context) error {
		calls := fanout.New(c.Request().Context(), time.Second)
		u := fanout.Required(calls, "user", func(ctx context.Context, use cache.Use) (string, error) {
			noted(ctx, use)
			return "a", nil
		}, user)
		a := fanout.Optional(calls, "activity", func(ctx context.Context, use cache.Use) ([]string, error) {
			noted(ctx, use)
			return []string{"b"}, err
		}, activity)
		report, err := calls.Wait()
		if err != nil {
			return err
		}
		return web.Partial(c, page{u.Value(), a.Value()}, report)
	})
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/page", http.NoBody))
	return rec
}

func noted(ctx context.Context, use cache.Use) {
	if use != (cache.Use{}) {
		cache.NotesFrom(ctx).Add(use)
	}
}
