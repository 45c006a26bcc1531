package upstream_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// echo is a service that says to whom, of what and how often it has answered.
func echo(lines ...string) upstreamtest.Func {
	times := map[string]int{}
	return func(req *http.Request) upstreamtest.Answer {
		what := req.Header.Get("Authorization") + " " + req.URL.RequestURI()
		times[what]++
		return said(what+" #"+string(rune('0'+times[what])), lines...)
	}
}

func TestEveryCallerHasAnswersOfHisOwn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		lines []string
		reads []string // what ada, bob, ada and bob are told
	}{
		{"private by default", []string{minute}, []string{"ada #1", "bob #1", "ada #1", "bob #1"}},
		{"private", []string{"Cache-Control: private, max-age=60"}, []string{"ada #1", "bob #1", "ada #1", "bob #1"}},
		{"public", []string{"Cache-Control: public, max-age=60"}, []string{"ada #1", "ada #1", "ada #1", "ada #1"}},
		{"public, but by who asks", []string{"Cache-Control: public, max-age=60", "Vary: Authorization"}, []string{"ada #1", "bob #1", "ada #1", "bob #1"}},
		{"public with a tag that has to be checked", []string{"Cache-Control: public, no-cache"}, []string{"ada #1", "bob #1", "ada #2", "bob #2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := clientOf(t, echo(tt.lines...), upstream.Policy{}, "http://a.test")
				for i, want := range tt.reads {
					want = "Bearer token of " + want[:3] + " /things/1" + want[3:]
					if got := told(as(t.Context(), []string{"ada", "bob"}[i%2]), client); got != want {
						t.Errorf("read %d: got %q, want %q", i, got, want)
					}
				}
			})
		})
	}
}

// other is a thing that is no thing.
type other struct {
	ID string `json:"id"`
}

// A request differs from that for a thing of ada's by one property.
var differences = []struct {
	name string
	ask  func(ctx context.Context, client *upstream.Client) string
}{
	{"another caller", func(ctx context.Context, client *upstream.Client) string { return told(as(ctx, "bob"), client) }},
	{"another path", func(ctx context.Context, client *upstream.Client) string {
		got, _ := upstream.Get[thing](ctx, client, upstream.Target{Path: []string{"things", "2"}})
		return got.ID
	}},
	{"another path that looks the same", func(ctx context.Context, client *upstream.Client) string {
		got, _ := upstream.Get[thing](ctx, client, upstream.Target{Path: []string{"things/1"}})
		return got.ID
	}},
	{"a query", func(ctx context.Context, client *upstream.Client) string {
		got, _ := upstream.Get[thing](ctx, client, upstream.Target{Path: aThing.Path, Query: url.Values{"q": {"1"}}})
		return got.ID
	}},
	{"another type", func(ctx context.Context, client *upstream.Client) string {
		got, _ := upstream.Get[other](ctx, client, aThing)
		return got.ID
	}},
	{"nobody", func(ctx context.Context, client *upstream.Client) string {
		return told(context.WithValue(context.WithoutCancel(context.Background()), testKey{}, ctx), client)
	}},
}

type testKey struct{}

func TestWhatIsAskedForOtherwiseIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range differences {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				client := clientOf(t, upstreamtest.Func(func(*http.Request) upstreamtest.Answer {
					calls++
					return said(string(rune('0'+calls)), minute)
				}), upstream.Policy{}, "http://a.test")
				ada := as(t.Context(), "ada")
				if got := told(ada, client) + tt.ask(ada, client) + told(ada, client); got != "121" {
					t.Errorf("the answers were %s, want 121", got)
				}
			})
		})
	}
}

func TestNobodysAnswersAreNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := clientOf(t, echo("Cache-Control: public, max-age=60"), upstream.Policy{}, "http://a.test")
		if got := told(t.Context(), client) + told(t.Context(), client); got != " /things/1 #1 /things/1 #2" {
			t.Errorf("the answers were %q", got)
		}
	})
}

func TestAnAnswerThatVariesIsForRequestsOfTheSameKind(t *testing.T) {
	t.Parallel()
	withToken := func(ctx context.Context, token string) context.Context {
		return upstream.WithCredentials(ctx, upstream.Credentials{Key: "ada", Token: secret.New(token)})
	}
	withID := func(ctx context.Context, id string) context.Context {
		return telemetry.WithEvent(as(ctx, "ada"), telemetry.NewEvent(id))
	}
	for _, tt := range []struct {
		name, vary    string
		first, second context.Context
		want          int // calls
	}{
		{"the same token", "Authorization", withToken(t.Context(), "t1"), withToken(t.Context(), "t1"), 1},
		{"another token", "Authorization", withToken(t.Context(), "t1"), withToken(t.Context(), "t2"), 2},
		{"another token, where that does not matter", "Accept", withToken(t.Context(), "t1"), withToken(t.Context(), "t2"), 1},
		{"another request", "X-Request-Id", withID(t.Context(), "1"), withID(t.Context(), "2"), 2},
		{"another request, where that does not matter", "Accept", withID(t.Context(), "1"), withID(t.Context(), "2"), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			service := &script{answers: []upstreamtest.Answer{said("1", minute, "Vary: "+tt.vary)}}
			client := clientOf(t, service, upstream.Policy{}, "http://a.test")
			told(tt.first, client)
			told(tt.second, client)
			if service.asked() != tt.want {
				t.Errorf("the service was asked %d times, want %d", service.asked(), tt.want)
			}
		})
	}
}

func TestWithoutRoomForAnswersEveryCallIsMade(t *testing.T) {
	t.Parallel()
	some := upstream.Policy{CacheBytes: 1 << 20}
	uncached := some
	uncached.Without.Cache = true
	single := some
	single.Without.Coalesce = true
	for _, tt := range []struct {
		name            string
		policy          upstream.Policy
		together, after int // calls for two GETs at a time, and for one after them
	}{
		{"with room", some, 1, 0},
		{"no room", upstream.Policy{}, 2, 1},
		{"nothing is kept", uncached, 1, 1},
		{"nothing is shared", single, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{afterSecond(said("1", minute))}}
				services := upstream.NewServices(tt.policy, service, upstreamtest.Telemetry(t), nil)
				client := services.Client("things", upstreamtest.Replicas(t, "http://a.test"))
				ctx := as(t.Context(), "ada")
				go told(ctx, client)
				synctest.Wait()
				told(ctx, client)
				if service.asked() != tt.together {
					t.Errorf("%d calls for two GETs at a time, want %d", service.asked(), tt.together)
				}
				<-time.After(time.Second)
				asked := service.asked()
				told(ctx, client)
				if got := service.asked() - asked; got != tt.after {
					t.Errorf("%d calls for one more, want %d", got, tt.after)
				}
			})
		})
	}
}
