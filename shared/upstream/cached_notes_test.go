package upstream_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestTheUseOfAnAnswerIsNoted(t *testing.T) {
	t.Parallel()
	kept := cache.Use{Status: cache.Miss, Explicit: true, Remaining: time.Minute}
	for _, tt := range []struct {
		name   string
		first  upstreamtest.Answer
		second upstreamtest.Answer
		want   [2]cache.Use // of the first call, and of one 11 s later
	}{
		{"one that is kept", said("1", minute), good, [2]cache.Use{kept, {Status: cache.Hit, Explicit: true, Remaining: 49 * time.Second, Age: 11 * time.Second}}},
		{"one that came with an age", said("1", minute, "Age: 30"), good, [2]cache.Use{
			{Status: cache.Miss, Explicit: true, Remaining: 30 * time.Second}, {Status: cache.Hit, Explicit: true, Remaining: 19 * time.Second, Age: 41 * time.Second},
		}},
		{"no word about it", good, good, [2]cache.Use{{Status: cache.Miss}, {Status: cache.Miss}}},
		{"no-store", said("1", noStore), said("1", minute), [2]cache.Use{{Status: cache.Miss, Forbidden: true}, kept}},
		{"a tag and no lifetime", said("1", "ETag: "+tagA), same(minute), [2]cache.Use{{Status: cache.Miss}, {Status: cache.Revalidated, Explicit: true, Remaining: time.Minute}}},
		{"a 304 that takes it back", said("1", "ETag: "+tagA, "Cache-Control: max-age=0"), same(noStore), [2]cache.Use{
			{Status: cache.Miss, Explicit: true}, {Status: cache.Revalidated, Explicit: true, Forbidden: true, Remaining: -11 * time.Second, Age: 11 * time.Second},
		}},
		{"a failure", said("1", onError), status(500), [2]cache.Use{
			{Status: cache.Miss, Explicit: true, Remaining: 10 * time.Second}, {Status: cache.Stale, Explicit: true, Remaining: -time.Second, Age: 11 * time.Second},
		}},
		{"an error", status(500), status(404), [2]cache.Use{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := clientOf(t, &script{answers: []upstreamtest.Answer{tt.first, tt.second}}, upstream.Policy{}, "http://a.test")
				for i, want := range tt.want {
					var notes cache.Notes
					told(cache.WithNotes(as(t.Context(), "ada"), &notes), client)
					if notes.Use() != want {
						t.Errorf("the use of answer %d is %+v, want %+v", i, notes.Use(), want)
					}
					<-time.After(11 * time.Second)
				}
			})
		})
	}
}

func TestTheUseOfTwoAnswersIsNotedTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, upstreamtest.Func(func(req *http.Request) upstreamtest.Answer {
			if req.URL.Path == "/things/1" {
				return said("1", minute)
			}
			return said("2", "Cache-Control: max-age=300, no-store")
		}), upstream.Policy{}, "http://a.test")
		told(as(t.Context(), "ada"), client)
		<-time.After(20 * time.Second)
		var notes cache.Notes
		ctx := cache.WithNotes(as(t.Context(), "ada"), &notes)
		told(ctx, client)
		if _, err := upstream.Get[thing](ctx, client, upstream.Target{Path: []string{"things", "2"}}); err != nil {
			t.Fatal(err)
		}
		got := notes.Use()
		if got.Status != cache.Miss || !got.Forbidden || got.Age != 20*time.Second || got.Remaining > 40*time.Second {
			t.Errorf("the use is %+v", got)
		}
	})
}

func TestARefreshIsNeitherNotedNorCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tel := upstreamtest.Telemetry(t)
		service := &script{answers: []upstreamtest.Answer{said("1", swr), status(503), afterSecond(said("2", noStore))}}
		client := upstream.New(upstream.Config{
			Service: "things", Replicas: upstreamtest.Replicas(t, "http://a.test"), Transport: service, Telemetry: tel,
		})
		ada := as(t.Context(), "ada")
		told(ada, client)
		<-time.After(11 * time.Second)
		var notes cache.Notes
		told(cache.WithNotes(ada, &notes), client)
		<-time.After(2 * time.Second)
		if want := (cache.Use{Status: cache.Stale, Explicit: true, Remaining: -time.Second, Age: 11 * time.Second}); notes.Use() != want {
			t.Errorf("the use is %+v, want %+v", notes.Use(), want)
		}
		told(ada, client)
		<-time.After(2 * time.Second)
		checkCounts(t, tel, map[string]int{
			`upstream_answers_total{from="miss",service="things"}`:                1,
			`upstream_answers_total{from="stale",service="things"}`:               2,
			`upstream_call_duration_seconds_count{outcome="ok",service="things"}`: 3,
		})
	})
}

func TestEveryReadIsCountedByWhereItsAnswerCameFrom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tel := upstreamtest.Telemetry(t)
		service := &script{answers: []upstreamtest.Answer{afterSecond(said("1", onError, "ETag: "+tagA)), same(onError), status(503), status(404)}}
		client := upstream.New(upstream.Config{
			Service: "things", Replicas: upstreamtest.Replicas(t, "http://a.test"), Transport: service, Telemetry: tel,
		})
		ada := as(t.Context(), "ada")
		var readers sync.WaitGroup
		for range 5 {
			readers.Go(func() { told(ada, client) })
		}
		readers.Wait()
		told(ada, client) // a hit
		for range 3 {     // one that is renewed, one that is stale, and none
			<-time.After(11 * time.Second)
			told(ada, client)
		}
		checkCounts(t, tel, map[string]int{
			`upstream_answers_total{from="miss",service="things"}`:                1,
			`upstream_answers_total{from="collapsed",service="things"}`:           4,
			`upstream_answers_total{from="hit",service="things"}`:                 1,
			`upstream_answers_total{from="revalidated",service="things"}`:         1,
			`upstream_answers_total{from="stale",service="things"}`:               1,
			`upstream_call_duration_seconds_count{outcome="ok",service="things"}`: 9,
		})
	})
}

func TestTheLogSaysWhereAnAnswerCameFrom(t *testing.T) {
	t.Parallel()
	event := telemetry.NewEvent("request-1")
	ctx := telemetry.WithEvent(as(t.Context(), "ada"), event)
	client := clientOf(t, &script{answers: []upstreamtest.Answer{said("1", minute), said("x")}}, upstream.Policy{}, "http://a.test")
	told(ctx, client)
	told(ctx, client)
	write(ctx, client, http.MethodPut)
	attrs := fmt.Sprint(event.Attrs())
	for text, want := range map[string]int{"from=miss": 1, "from=hit": 1, "from=": 2, "outcome=ok": 3} {
		if got := strings.Count(attrs, text); got != want {
			t.Errorf("%d times %q, want %d: %s", got, text, want, attrs)
		}
	}
}

// checkCounts fails the test where Prometheus would be told otherwise.
func checkCounts(t *testing.T, tel *telemetry.Telemetry, counts map[string]int) {
	t.Helper()
	rec := httptest.NewRecorder()
	tel.Metrics.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	for line, want := range counts {
		if !strings.Contains(rec.Body.String(), fmt.Sprintf("%s %d\n", line, want)) {
			t.Errorf("the metrics do not say %s %d", line, want)
		}
	}
}
