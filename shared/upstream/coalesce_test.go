package upstream_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/problem"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// crew is so many callers that ask at the same time and are told the same.
func crew(t *testing.T, size int, want string, ask func() string) {
	t.Helper()
	var readers sync.WaitGroup
	for range size {
		readers.Go(func() {
			if got := ask(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	readers.Wait()
}

func TestIdenticalReadsOfOneCallerShareACall(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer upstreamtest.Answer
		want   string
	}{
		{"a value", afterSecond(good), "1"},
		{"a value that must not be kept", afterSecond(said("1", noStore)), "1"},
		{"nothing", afterSecond(status(404)), "denied"},
		{"a failure", afterSecond(status(500)), "bad_answer"},
		{"a refusal", afterSecond(status(429)), "shed"},
		{"no connection", afterSecond(upstreamtest.Answer{Err: errRefused}), "refused"},
		{"a value of another type", afterSecond(upstreamtest.Answer{Body: `[]`}), "bad_answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{tt.answer, good}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				crew(t, 200, tt.want, func() string { return told(as(t.Context(), "ada"), client) })
				if service.asked() != 1 {
					t.Errorf("%d calls, want 1", service.asked())
				}
				if got := told(as(t.Context(), "ada"), client); got != "1" || service.asked() != 2 {
					t.Errorf("afterwards: %q and %d calls, want a call of its own", got, service.asked())
				}
			})
		})
	}
}

func TestWhatIsAskedForOtherwiseSharesNoCall(t *testing.T) {
	t.Parallel()
	for _, tt := range append(slices.Clip(differences),
		struct {
			name string
			ask  func(ctx context.Context, client *upstream.Client) string
		}{"a change", func(ctx context.Context, client *upstream.Client) string {
			return write(ctx, client, http.MethodPut)
		}}) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{afterSecond(good)}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				go told(as(t.Context(), "ada"), client)
				go tt.ask(as(t.Context(), "ada"), client)
				synctest.Wait()
				if service.asked() != 2 {
					t.Errorf("%d calls, want 2", service.asked())
				}
				tt.ask(as(t.Context(), "ada"), client)
				<-time.After(time.Second)
			})
		})
	}
}

func TestChangesAndReadsOfNobodyShareNoCall(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		ask  func(ctx context.Context, client *upstream.Client)
	}{
		{"changes", func(ctx context.Context, client *upstream.Client) { write(as(ctx, "ada"), client, http.MethodPut) }},
		{"reads of nobody", func(ctx context.Context, client *upstream.Client) { told(ctx, client) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{afterSecond(good)}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				go tt.ask(t.Context(), client)
				synctest.Wait()
				tt.ask(t.Context(), client)
				if service.asked() != 2 {
					t.Errorf("%d calls, want 2", service.asked())
				}
			})
		})
	}
}

// Everybody's answer is replaced by one that another caller got while it is asked about.
func TestReadsOnDifferentConditionsShareNoCall(t *testing.T) {
	t.Parallel()
	const public = "Cache-Control: public, no-cache"
	for _, tt := range []struct{ name, field, first, second string }{
		{"tags", "ETag: ", tagA, tagB},
		{"dates", "Last-Modified: ", dated, "Sat, 01 Jan 2000 00:00:01 GMT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{
					said("1", public, tt.field+tt.first), afterSecond(same()), said("2", public, tt.field+tt.second), same(),
				}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				ada := as(t.Context(), "ada")
				told(ada, client)
				go told(ada, client)
				synctest.Wait()
				step{0, "2", cache.Miss, 3, tt.first}.take(t, as(t.Context(), "bob"), client, service)
				step{0, "2", cache.Revalidated, 4, tt.second}.take(t, ada, client, service)
				<-time.After(2 * time.Second)
			})
		})
	}
}

func TestASharedAnswerIsKeptAndIsAsOldAsItsCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := said("1", "Cache-Control: max-age=10")
		slow.After = 8 * time.Second
		service := &script{answers: []upstreamtest.Answer{slow, said("2")}}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		ada := as(t.Context(), "ada")
		go told(ada, client)
		<-time.After(7 * time.Second)
		var notes cache.Notes
		told(cache.WithNotes(ada, &notes), client)
		if want := (cache.Use{Status: cache.Collapsed, Explicit: true, Remaining: 2 * time.Second}); notes.Use() != want {
			t.Errorf("the use is %+v, want %+v", notes.Use(), want)
		}
		step{time.Second, "1", cache.Hit, 1, ""}.take(t, ada, client, service)
		step{time.Second, "2", cache.Miss, 2, ""}.take(t, ada, client, service)
	})
}

func TestAReadAfterAnotherSharesNothingWithIt(t *testing.T) {
	t.Parallel()
	const reads = 20_000
	calls := 0
	client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
		calls++
		return good
	}), upstream.Policy{}, "http://a.test")
	ada := as(t.Context(), "ada")
	for range reads {
		told(ada, client)
	}
	if calls != reads {
		t.Errorf("%d calls for %d reads, one after the other", calls, reads)
	}
}

func TestAPanicBelowIsOneErrorForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
			if calls++; calls == 1 {
				<-time.After(time.Second)
				panic("a bug")
			}
			return good
		}), upstream.Policy{}, "http://a.test")
		var readers sync.WaitGroup
		for range 50 {
			readers.Go(func() {
				_, err := get(as(t.Context(), "ada"), client)
				if p := problem.From(err); err == nil || p.Status != http.StatusInternalServerError {
					t.Errorf("error = %v, want an internal one", err)
				}
			})
		}
		readers.Wait()
		if got := told(as(t.Context(), "ada"), client); got != "1" || calls != 2 {
			t.Errorf("afterwards: %q and %d calls", got, calls)
		}
	})
}
