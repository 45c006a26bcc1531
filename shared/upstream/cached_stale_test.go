package upstream_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

const (
	onError = "Cache-Control: max-age=10, stale-if-error=30"
	swr     = "Cache-Control: max-age=10, stale-while-revalidate=30"
)

func TestAStoredAnswerMayDoWhereTheServiceCannotAnswer(t *testing.T) {
	t.Parallel()
	for _, tt := range useless {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{said("1", onError, "ETag: "+tagA), tt.answer, tt.answer, said("4")}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				steps := []step{{0, "1", cache.Miss, 1, ""}, {39 * time.Second, "1", cache.Stale, 2, tagA}, {0, "1", cache.Stale, 3, tagA}, {0, "4", cache.Miss, 4, tagA}}
				if tt.meant {
					steps = []step{{0, "1", cache.Miss, 1, ""}, {39 * time.Second, string(tt.kind), 0, 2, tagA}, {0, string(tt.kind), 0, 3, ""}, {0, "4", cache.Miss, 4, ""}}
				}
				for _, s := range steps {
					s.take(t, as(t.Context(), "ada"), client, service)
				}
			})
		})
	}
}

func TestAStaleAnswerHasItsTime(t *testing.T) {
	t.Parallel()
	failed := status(503)
	for _, tt := range []struct {
		name, control string
		after         time.Duration
		want          string
		from          cache.Status
	}{
		{"not beyond stale-if-error", "max-age=10, stale-if-error=30", 41 * time.Second, "bad_answer", 0},
		{"never without stale-if-error", "max-age=10", 11 * time.Second, "bad_answer", 0},
		{"never with must-revalidate", "max-age=10, stale-if-error=30, must-revalidate", 11 * time.Second, "bad_answer", 0},
		{"never with no-cache", "max-age=10, stale-if-error=30, no-cache", time.Second, "bad_answer", 0},
		{"no-cache is not given away at once either", "max-age=10, stale-while-revalidate=30, no-cache", 0, "bad_answer", 0},
		{"nor must-revalidate", "max-age=10, stale-while-revalidate=30, must-revalidate", 11 * time.Second, "bad_answer", 0},
		{"not beyond stale-while-revalidate", "max-age=10, stale-while-revalidate=30", 41 * time.Second, "bad_answer", 0},
		{"up to its end", "max-age=10, stale-if-error=30", 39 * time.Second, "1", cache.Stale},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{said("1", "Cache-Control: "+tt.control, "ETag: "+tagA), failed}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				step{0, "1", cache.Miss, 1, ""}.take(t, as(t.Context(), "ada"), client, service)
				step{tt.after, tt.want, tt.from, 2, tagA}.take(t, as(t.Context(), "ada"), client, service)
			})
		})
	}
}

func TestAStaleAnswerComesBeforeItsReaderHasToLeave(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		control      string
		within, took time.Duration
		want         string
	}{
		{"much time", onError, time.Second, 980 * time.Millisecond, "1"},
		{"little time", onError, 100 * time.Millisecond, 90 * time.Millisecond, "1"},
		{"no end", onError, 0, 5 * time.Second, "1"},
		{"one that must not be given takes all the time", "Cache-Control: max-age=10, must-revalidate", time.Second, time.Second, "timeout"},
		{"nor one whose time is over meanwhile", "Cache-Control: max-age=10, stale-if-error=2", 2 * time.Second, 1980 * time.Millisecond, "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{said("1", tt.control, "ETag: "+tagA), {Hang: true}}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				ctx := as(t.Context(), "ada")
				told(ctx, client)
				<-time.After(11 * time.Second)
				if tt.within > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.within)
					defer cancel()
				}
				begun := time.Now()
				if got, took := told(ctx, client), time.Since(begun); got != tt.want || took != tt.took {
					t.Errorf("got %q after %v, want %q after %v", got, took, tt.want, tt.took)
				}
			})
		})
	}
}

func TestACallerThatLeftIsGivenNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := &script{answers: []upstreamtest.Answer{said("1", onError), {Hang: true}}}
		client := clientOf(t, service, upstream.Policy{}, "http://a.test")
		ctx, leave := context.WithCancel(as(t.Context(), "ada"))
		told(ctx, client)
		<-time.After(11 * time.Second)
		time.AfterFunc(time.Second, leave)
		var notes cache.Notes
		if got := told(cache.WithNotes(ctx, &notes), client); got != "cancelled" || notes.Use().Status != 0 {
			t.Errorf("got %q (%s), want that the caller left", got, notes.Use().Status)
		}
	})
}

func TestAStoredAnswerDoesWhereTheServiceIsNotAskedAtAll(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		policy upstream.Policy
		begin  func(ctx context.Context, client *upstream.Client)
		kind   upstream.Kind
	}{
		{"the circuit is open", upstream.Policy{}, func(ctx context.Context, client *upstream.Client) {
			for range 20 {
				ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
				told(ctx, client)
				cancel()
			}
		}, upstream.BreakerOpen},
		{"it has enough to do", upstream.Policy{MaxInFlight: 1}, func(ctx context.Context, client *upstream.Client) {
			go told(ctx, client)
			synctest.Wait()
		}, upstream.Shed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{said("1", onError), {Hang: true}}}
				client := clientOf(t, service, tt.policy, "http://a.test")
				told(as(t.Context(), "ada"), client)
				<-time.After(11 * time.Second)
				busy, stop := context.WithCancel(t.Context())
				defer stop()
				tt.begin(busy, client)
				if got := told(as(t.Context(), "bob"), client); got != string(tt.kind) {
					t.Fatalf("who has nothing stored got %q, want %q", got, tt.kind)
				}
				begun, asked := time.Now(), service.asked()
				if got, took := told(as(t.Context(), "ada"), client), time.Since(begun); got != "1" || took != 0 || service.asked() != asked {
					t.Errorf("got %q after %v and %d calls, want the stored answer at once", got, took, service.asked()-asked)
				}
			})
		})
	}
}
