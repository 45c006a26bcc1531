package upstream_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// write is the kind of the error of a change, or "".
func write(ctx context.Context, client *upstream.Client, method string) string {
	_, err := upstream.Send[thing](ctx, client, upstream.Write{Method: method, Target: aThing})
	return string(kindOf(err))
}

func TestWhoHasChangedSomethingReadsWhatIsAfterIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method string
		answer       upstreamtest.Answer
		want         string // the kind of the change's error
	}{
		{"POST", http.MethodPost, said("x"), ""},
		{"PUT", http.MethodPut, said("x"), ""},
		{"PATCH", http.MethodPatch, said("x"), ""},
		{"DELETE", http.MethodDelete, upstreamtest.Answer{Status: 204}, ""},
		{"a change that was refused", http.MethodPut, status(409), "rejected"},
		{"a change that failed", http.MethodPut, status(500), "bad_answer"},
		{"a change without an answer in time", http.MethodPut, upstreamtest.Answer{Hang: true}, "timeout"},
		{"a change without a connection", http.MethodPut, upstreamtest.Answer{Err: errRefused}, "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ada, bob := as(t.Context(), "ada"), as(t.Context(), "bob")
				service := &script{answers: []upstreamtest.Answer{said("1", minute), said("2", minute), tt.answer, said("3", minute)}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				step{0, "1", cache.Miss, 1, ""}.take(t, ada, client, service)
				step{0, "2", cache.Miss, 2, ""}.take(t, bob, client, service)
				ctx, cancel := context.WithTimeout(ada, time.Second)
				defer cancel()
				if got := write(ctx, client, tt.method); got != tt.want {
					t.Errorf("the change: %q, want %q", got, tt.want)
				}
				step{0, "3", cache.Miss, 4, ""}.take(t, ada, client, service)
				step{0, "2", cache.Hit, 4, ""}.take(t, bob, client, service)
			})
		})
	}
}

func TestAChangeMakesEverybodysAnswersOldToo(t *testing.T) {
	t.Parallel()
	for _, changer := range []string{"ada", "bob", "nobody"} {
		synctest.Test(t, func(t *testing.T) {
			service := &script{answers: []upstreamtest.Answer{said("1", "Cache-Control: public, max-age=60"), said("x"), said("3")}}
			client := clientOf(t, service, upstream.Policy{}, "http://a.test")
			step{0, "1", cache.Miss, 1, ""}.take(t, as(t.Context(), "ada"), client, service)
			step{0, "1", cache.Hit, 1, ""}.take(t, as(t.Context(), "bob"), client, service)
			ctx := t.Context()
			if changer != "nobody" {
				ctx = as(ctx, changer)
			}
			write(ctx, client, http.MethodPost)
			step{0, "3", cache.Miss, 3, ""}.take(t, as(t.Context(), "ada"), client, service)
		})
	}
}

func TestAReadThatWasInFlightDuringAChangeIsNeitherKeptNorShared(t *testing.T) {
	t.Parallel()
	late := said("old", minute)
	late.After = 3 * time.Second
	for _, tt := range []struct {
		name string
		gap  time.Duration // between the end of the change and the next read
		want step
	}{
		{"a read while the old one is in flight", 0, step{0, "new", cache.Miss, 3, ""}},
		{"a read after the old one has come", 5 * time.Second, step{0, "new", cache.Miss, 3, ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{late, afterSecond(said("x")), said("new", minute)}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				ctx := as(t.Context(), "ada")
				go told(ctx, client)
				synctest.Wait()
				write(ctx, client, http.MethodPut)
				pass(tt.gap)
				tt.want.take(t, ctx, client, service)
				step{10 * time.Second, "new", cache.Hit, 3, ""}.take(t, ctx, client, service)
			})
		})
	}
}

// Only the one who has made the change must not share the call: what it answers is of use to others, and old for all.
func TestWhatOthersShareDuringAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old := said("old", "Cache-Control: public, max-age=60")
		old.After = 3 * time.Second
		service := &script{answers: []upstreamtest.Answer{old, afterSecond(said("x")), said("new", minute)}}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		ada, bob := as(t.Context(), "ada"), as(t.Context(), "bob")
		go told(ada, client)
		synctest.Wait()
		write(bob, client, http.MethodPut)
		step{0, "old", cache.Collapsed, 2, ""}.take(t, ada, client, service)
		step{0, "new", cache.Miss, 3, ""}.take(t, bob, client, service)
	})
}

func TestTheEndOfAReadFromBeforeAChangeHidesNoReadFromAfterIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before upstreamtest.Answer
	}{
		{"it is answered", afterSecond(said("old"))},
		{"nobody waits for it", upstreamtest.Answer{Hang: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				late := said("new")
				late.After = 5 * time.Second
				service := &script{answers: []upstreamtest.Answer{tt.before, said("x"), late}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				ada := as(t.Context(), "ada")
				before, leave := goes(ada, time.Second)
				defer leave()
				go told(before, client)
				synctest.Wait()
				write(ada, client, http.MethodPut)
				go told(ada, client)
				step{2 * time.Second, "new", cache.Collapsed, 3, ""}.take(t, ada, client, service)
			})
		})
	}
}

func TestAReadThatBeganDuringAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{answers: []upstreamtest.Answer{afterSecond(said("x")), said("old", minute), said("new", minute)}}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		ctx := as(t.Context(), "ada")
		go write(ctx, client, http.MethodPut)
		synctest.Wait()
		step{0, "old", cache.Miss, 2, ""}.take(t, ctx, client, service)
		step{2 * time.Second, "new", cache.Miss, 3, ""}.take(t, ctx, client, service)
	})
}

func TestAChangeMakesNoOtherServicesAnswersOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{answers: []upstreamtest.Answer{said("1", minute), said("2", minute)}}
		services := upstream.NewServices(upstream.Policy{CacheBytes: 1 << 20}, service, upstreamtest.Telemetry(t), nil)
		things := services.Client("things", upstreamtest.Replicas(t, "http://a.test"))
		others := services.Client("others", upstreamtest.Replicas(t, "http://b.test"))
		ctx := as(t.Context(), "ada")
		step{0, "1", cache.Miss, 1, ""}.take(t, ctx, things, service)
		step{0, "2", cache.Miss, 2, ""}.take(t, ctx, others, service)
		write(ctx, others, http.MethodPut)
		step{0, "1", cache.Hit, 3, ""}.take(t, ctx, things, service)
	})
}

// What is not kept has no tag by which a later request could be told from it.
func TestNobodyIsGivenA304ToTheDateOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{answers: []upstreamtest.Answer{
			said("1", "Cache-Control: public, max-age=1", "Last-Modified: "+dated), afterSecond(same(minute)), said("x"), said("3", minute),
		}}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		ada := as(t.Context(), "ada")
		told(ada, client)
		<-time.After(2 * time.Second)
		go told(ada, client)
		synctest.Wait()
		write(as(t.Context(), "bob"), client, http.MethodPut)
		step{0, "3", cache.Miss, 4, ""}.take(t, ada, client, service)
	})
}
