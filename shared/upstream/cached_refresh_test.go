package upstream_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// afterSecond is the answer a second later.
func afterSecond(a upstreamtest.Answer) upstreamtest.Answer {
	a.After = time.Second
	return a
}

func TestAnOldAnswerIsGivenAtOnceWhileOneCallGetsTheNewOne(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		policy  upstream.Policy
		next    upstreamtest.Answer
		then    string // what is told afterwards
		from    cache.Status
		lastTag string
	}{
		{"a new answer", upstream.Policy{}, afterSecond(said("2", minute)), "2", cache.Hit, tagA},
		{"the same answer", upstream.Policy{}, afterSecond(same(minute)), "1", cache.Hit, tagA},
		{"the service fails", upstream.Policy{}, afterSecond(status(503)), "1", cache.Stale, tagA},
		{"without shared calls", upstream.Policy{Without: upstream.Layers{Coalesce: true}}, afterSecond(said("2", minute)), "2", cache.Hit, tagA},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{said("1", swr, "ETag: "+tagA), tt.next}}
				client := clientOf(t, service, tt.policy, "http://a.test")
				ctx := as(t.Context(), "ada")
				told(ctx, client)
				<-time.After(11 * time.Second)
				begun := time.Now()
				var readers sync.WaitGroup
				for range 50 {
					readers.Go(func() {
						if got := told(ctx, client); got != "1" {
							t.Errorf("got %q, want the old answer", got)
						}
					})
				}
				readers.Wait()
				synctest.Wait()
				if service.asked() != 2 {
					t.Errorf("%d calls behind the old answers, want 1", service.asked()-1)
				}
				if took := time.Since(begun); took != 0 {
					t.Errorf("the old answer came after %v", took)
				}
				<-time.After(2 * time.Second)
				asked := 2
				if tt.from == cache.Stale {
					asked = 3
				}
				step{0, tt.then, tt.from, asked, tt.lastTag}.take(t, ctx, client, service)
				<-time.After(2 * time.Second)
			})
		})
	}
}

func TestARefreshGoesOnWithoutTheCallerAndEndsByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{answers: []upstreamtest.Answer{said("1", swr), {Hang: true}, said("3", minute)}}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		told(as(t.Context(), "ada"), client)
		<-time.After(11 * time.Second)
		ctx, leave := context.WithTimeout(as(t.Context(), "ada"), time.Second)
		step{0, "1", cache.Stale, 2, ""}.take(t, ctx, client, service)
		leave()
		step{4 * time.Second, "1", cache.Stale, 2, ""}.take(t, as(t.Context(), "ada"), client, service)
		step{time.Second + time.Millisecond, "1", cache.Stale, 3, ""}.take(t, as(t.Context(), "ada"), client, service)
		step{0, "3", cache.Hit, 3, ""}.take(t, as(t.Context(), "ada"), client, service)
	})
}

func TestAPanicInARefreshHarmsNobody(t *testing.T) {
	t.Parallel()
	for _, without := range []upstream.Layers{{}, {Coalesce: true}} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
				if calls++; calls == 2 {
					panic("a bug")
				}
				return said(string(rune('0'+calls)), swr)
			}), upstream.Policy{Without: without}, "http://a.test")
			for _, want := range []string{"1", "1", "1", "3"} { // the first, two old ones with a call behind each, the new one
				if got := told(as(t.Context(), "ada"), client); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				synctest.Wait()
				if calls == 1 {
					<-time.After(11 * time.Second)
				}
			}
		})
	}
}

func TestARefreshFromBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{answers: []upstreamtest.Answer{said("1", swr), afterSecond(said("old", minute)), said("written"), said("new")}}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		ctx := as(t.Context(), "ada")
		told(ctx, client)
		step{11 * time.Second, "1", cache.Stale, 2, ""}.take(t, ctx, client, service)
		write(ctx, client, http.MethodPut)
		step{2 * time.Second, "new", cache.Miss, 4, ""}.take(t, ctx, client, service)
	})
}
