package ratelimit_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bff.internal/shared/problem"
	"bff.internal/shared/ratelimit"
)

const (
	exceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"
	code     = "rate_limited"
)

func TestAnswersSayTheLimitAndWhatIsLeft(t *testing.T) {
	t.Parallel()
	limited := func(policy, limit, retry string) answer {
		return answer{Status: 429, Policy: policy, Limit: limit, Retry: retry, Type: exceeded, Code: code, MediaType: problem.ContentType}
	}
	type step struct {
		after time.Duration
		want  answer
	}
	for _, tt := range []struct {
		name  string
		limit ratelimit.Limit
		steps []step
	}{
		{"the usual limit", usual(), []step{
			{0, answer{Status: 200, Policy: `"partner";q=100;w=10`, Limit: `"partner";r=99;t=1`}},
			{0, answer{Status: 200, Policy: `"partner";q=100;w=10`, Limit: `"partner";r=98;t=1`}},
			{time.Minute, answer{Status: 200, Policy: `"partner";q=100;w=10`, Limit: `"partner";r=99;t=1`}},
		}},
		{"times are rounded up, and count down", ratelimit.Limit{Requests: 7, Per: time.Minute, Burst: 2}, []step{
			{0, answer{Status: 200, Policy: `"partner";q=2;w=18`, Limit: `"partner";r=1;t=9`}}, // 17.14 s and 8.571429 s
			{0, answer{Status: 200, Policy: `"partner";q=2;w=18`, Limit: `"partner";r=0;t=9`}},
			{0, limited(`"partner";q=2;w=18`, `"partner";r=0;t=9`, "9")},
			{571429 * time.Microsecond, limited(`"partner";q=2;w=18`, `"partner";r=0;t=8`, "8")},
			{8*time.Second - time.Microsecond, limited(`"partner";q=2;w=18`, `"partner";r=0;t=1`, "1")},
			{time.Microsecond, answer{Status: 200, Policy: `"partner";q=2;w=18`, Limit: `"partner";r=0;t=9`}},
		}},
		{"a whole number of seconds stays that", ratelimit.Limit{Requests: 1, Per: 10 * time.Second, Burst: 1}, []step{
			{0, answer{Status: 200, Policy: `"partner";q=1;w=10`, Limit: `"partner";r=0;t=10`}},
			{time.Microsecond, limited(`"partner";q=1;w=10`, `"partner";r=0;t=10`, "10")},
			{time.Second, limited(`"partner";q=1;w=10`, `"partner";r=0;t=9`, "9")},
		}},
		{"with more left than none, t is still when the next one comes", ratelimit.Limit{Requests: 1, Per: 20 * time.Second, Burst: 4}, []step{
			{0, answer{Status: 200, Policy: `"partner";q=4;w=80`, Limit: `"partner";r=3;t=20`}},
			{5 * time.Second, answer{Status: 200, Policy: `"partner";q=4;w=80`, Limit: `"partner";r=2;t=15`}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			r, now := newReplica(t, connect(t, server.Addr()), tt.limit), epoch()
			for i, step := range tt.steps {
				now = now.Add(step.after)
				server.SetTime(now)
				if diff := cmp.Diff(step.want, r.ask(t, "acme")); diff != "" {
					t.Errorf("step %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

func TestWhoWaitsAsLongAsRetryAfterSaysIsAdmitted(t *testing.T) {
	t.Parallel()
	for _, tt := range rates {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newRedis(t)
			r, now := newReplica(t, connect(t, server.Addr()), tt.limit), epoch()
			for i := range 40 {
				r.drain(t, "acme")
				refused := r.ask(t, "acme")
				wait, err := strconv.Atoi(refused.Retry)
				if err != nil || wait < 1 || wait < refused.next(t) {
					t.Fatalf("%+v", refused)
				}
				now = now.Add(time.Duration(wait)*time.Second + time.Duration(i)*333*time.Microsecond)
				server.SetTime(now)
				if !r.allows(t, "acme") {
					t.Fatalf("after %d s it is refused again", wait)
				}
			}
		})
	}
}

func TestTheProblemOf429(t *testing.T) {
	t.Parallel()
	r := newReplica(t, connect(t, newRedis(t).Addr()), ratelimit.Limit{Requests: 1, Per: time.Minute, Burst: 1})
	r.drain(t, "acme")
	const want = `{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Too Many Requests","status":429,` +
		`"detail":"There were too many requests. Please wait for as many seconds as Retry-After says.","code":"rate_limited"}`
	if got := r.do(t.Context(), "acme", "/").Body.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnErrorBehindTheLimitSaysTheLimitToo(t *testing.T) {
	t.Parallel()
	r := newReplica(t, connect(t, newRedis(t).Addr()), usual())
	want := answer{Status: 404, Policy: `"partner";q=100;w=10`, Limit: `"partner";r=99;t=1`, Code: "not_found", MediaType: problem.ContentType}
	if diff := cmp.Diff(want, r.do(t.Context(), "acme", "/missing").answer(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOfTwoLimitsEachAddsAnItem(t *testing.T) {
	t.Parallel()
	client := connect(t, newRedis(t).Addr())
	inner := newReplica(t, client, ratelimit.Limit{Requests: 1, Per: time.Minute, Burst: 1})
	outer := newReplica(t, client, usual(), func(o *ratelimit.Options) { o.Name = "network" })
	handler := outer.limiter.Middleware(func(*http.Request) string { return "10.0.0.0/8" }, fail)(inner)
	for _, status := range []int{200, 429} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
		if got := rec.Header().Values("RateLimit-Policy"); rec.Code != status || !cmp.Equal(got, []string{`"network";q=100;w=10`, `"partner";q=1;w=60`}) {
			t.Errorf("%d %q", rec.Code, got)
		}
		if got := rec.Header().Values("RateLimit"); len(got) != 2 || got[1] != `"partner";r=0;t=60` {
			t.Errorf("%q", got)
		}
	}
}

func TestABucketIsKeptUntilItIsFullAndASecond(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	r := newReplica(t, connect(t, server.Addr()), ratelimit.Limit{Requests: 7, Per: time.Minute, Burst: 5})
	sum := sha256.Sum256([]byte("acme"))
	key := "limit:partner:{" + hex.EncodeToString(sum[:]) + "}"
	for i, ms := range []int64{9572, 18143, 26715, 35286, 43858, 43858} { // k x 8571.43 ms, rounded up, + 1000; the last is refused
		r.allows(t, "acme")
		if got := server.TTL(key).Milliseconds(); got != ms {
			t.Errorf("after %d requests it is kept for %d ms, want %d", i+1, got, ms)
		}
	}
	if keys := server.Keys(); len(keys) != 1 {
		t.Errorf("the keys are %q", keys)
	}
	server.FastForward(44 * time.Second)
	if admitted := r.drain(t, "acme"); admitted != 5 {
		t.Errorf("without a key %d are admitted", admitted)
	}
}

func TestABucketThatNobodyCanReadIsFull(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	r := newReplica(t, connect(t, server.Addr()), usual())
	for _, state := range []string{"", "garbage", "-1 -1 -1", "1 2", "1 2 0", "1e9 2 3", "1 2 3 4"} {
		r.allows(t, "acme")
		for _, key := range server.Keys() {
			if err := server.Set(key, state); err != nil {
				t.Fatal(err)
			}
		}
		if a := r.ask(t, "acme"); !a.byRedis() || a.remaining(t) != 99 {
			t.Errorf("%q: %+v", state, a)
		}
	}
}

func TestARedisThatForgetsScriptsIsToldAgain(t *testing.T) {
	t.Parallel()
	client := connect(t, newRedis(t).Addr())
	r := newReplica(t, client, usual())
	for i := range 5 {
		if a := r.ask(t, "acme"); !a.byRedis() || a.remaining(t) != 99-i {
			t.Errorf("request %d: %+v", i, a)
		}
		if err := client.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARequestThatHasEndedIsNotCounted(t *testing.T) {
	t.Parallel()
	client, faults := faulty(t, newRedis(t).Addr())
	r := newReplica(t, client, usual())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, done := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer done()
	for _, tt := range []struct {
		ctx  context.Context
		want answer
	}{
		{gone, answer{Status: problem.StatusClientGone, Code: "client_gone", MediaType: problem.ContentType}},
		{late, answer{Status: http.StatusGatewayTimeout, Code: "timeout", MediaType: problem.ContentType}},
	} {
		if diff := cmp.Diff(tt.want, r.do(tt.ctx, "acme", "/").answer(t)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if asked := faults.asked.Load(); asked != 0 {
		t.Errorf("redis was asked %d times", asked)
	}
	if a := r.ask(t, "acme"); !a.byRedis() || a.remaining(t) != 99 {
		t.Errorf("after that: %+v", a)
	}
	if diff := cmp.Diff(map[string]int{"allowed by redis": 1}, r.decisions(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryDecisionIsCounted(t *testing.T) {
	t.Parallel()
	client, faults := faulty(t, newRedis(t).Addr())
	r := newReplica(t, client, ratelimit.Limit{Requests: 1, Per: time.Minute, Burst: 4})
	for _, caller := range []string{"acme", "globex"} {
		r.drain(t, caller)
	}
	faults.refuse()
	r.drain(t, "acme")
	want := map[string]int{"allowed by redis": 8, "limited by redis": 2, "allowed by local": 2, "limited by local": 1}
	if diff := cmp.Diff(want, r.decisions(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
