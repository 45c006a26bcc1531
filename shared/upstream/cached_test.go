package upstream_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"bff.internal/shared/cache"
	"bff.internal/shared/secret"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// as is a context of that caller.
func as(ctx context.Context, caller string) context.Context {
	return upstream.WithCredentials(ctx, upstream.Credentials{Key: caller, Token: secret.New("token of " + caller)})
}

// said is an answer with that id and those lines in its header.
func said(id string, lines ...string) upstreamtest.Answer {
	header := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
	return upstreamtest.Answer{Body: `{"id":"` + id + `"}`, Header: header}
}

// same is a 304 with those lines in its header.
func same(lines ...string) upstreamtest.Answer {
	answer := said("", lines...)
	answer.Status = http.StatusNotModified
	return answer
}

// status is an answer that anybody might keep who does not look at it.
func status(code int) upstreamtest.Answer {
	return upstreamtest.Answer{Status: code, Header: http.Header{"Cache-Control": {"max-age=600"}, "Etag": {`"error"`}}, Body: `{"id":"error"}`}
}

// script is a service that answers one request after the other, and from the last answer on all alike.
type script struct {
	mu       sync.Mutex
	answers  []upstreamtest.Answer
	requests []*http.Request
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	answer := s.answers[min(len(s.requests), len(s.answers)-1)]
	s.requests = append(s.requests, req)
	s.mu.Unlock()
	return upstreamtest.Func(func(*http.Request) upstreamtest.Answer { return answer }).RoundTrip(req)
}

func (s *script) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// last is the condition of the last request: its tag, or its date.
func (s *script) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	header := s.requests[len(s.requests)-1].Header
	return header.Get("If-None-Match") + header.Get("If-Modified-Since")
}

// told is the id of the answer, or the kind of the error.
func told(ctx context.Context, client *upstream.Client) string {
	got, err := get(ctx, client)
	if err != nil {
		return string(kindOf(err))
	}
	return got.ID
}

// pass lets the time pass. The race detector cannot bear to see goroutines of a bubble receive from timers that are due.
func pass(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

// step is a GET some time after the one before it.
type step struct {
	after     time.Duration
	want      string // what the caller is told
	from      cache.Status
	asked     int    // how often the service has been asked by then
	condition string // of the last request
}

func (s step) take(t *testing.T, ctx context.Context, client *upstream.Client, service *script) { //nolint:revive // t comes first
	t.Helper()
	pass(s.after)
	var notes cache.Notes
	got := told(cache.WithNotes(ctx, &notes), client)
	if got != s.want || notes.Use().Status != s.from {
		t.Errorf("got %q (%s), want %q (%s)", got, notes.Use().Status, s.want, s.from)
	}
	synctest.Wait()
	if asked, condition := service.asked(), service.last(); asked != s.asked || condition != s.condition {
		t.Errorf("the service was asked %d times, at last on the condition %q; want %d and %q", asked, condition, s.asked, s.condition)
	}
}

const (
	tagA    = `"a"`
	tagB    = `"b"`
	dated   = "Sat, 01 Jan 2000 00:00:00 GMT"
	minute  = "Cache-Control: max-age=60"
	noStore = "Cache-Control: no-store"
)

func TestAnAnswerIsKeptAsTheServiceAllows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		answers []upstreamtest.Answer
		steps   []step
	}{
		{
			"as long as it is fresh, nobody asks",
			[]upstreamtest.Answer{said("1", minute), said("2", minute)},
			[]step{{0, "1", cache.Miss, 1, ""}, {0, "1", cache.Hit, 1, ""}, {59 * time.Second, "1", cache.Hit, 1, ""}, {2 * time.Second, "2", cache.Miss, 2, ""}},
		},
		{
			"one without a lifetime is asked for again",
			[]upstreamtest.Answer{said("1"), said("2")},
			[]step{{0, "1", cache.Miss, 1, ""}, {0, "2", cache.Miss, 2, ""}},
		},
		{
			"a 304 gives the stored value, which is fresh for as long as the 304 says",
			[]upstreamtest.Answer{said("1", minute, "ETag: "+tagA), same("Cache-Control: max-age=120"), said("2")},
			[]step{{0, "1", cache.Miss, 1, ""}, {61 * time.Second, "1", cache.Revalidated, 2, tagA}, {119 * time.Second, "1", cache.Hit, 2, tagA}, {2 * time.Second, "2", cache.Miss, 3, tagA}},
		},
		{
			"one with a date is asked for by its date",
			[]upstreamtest.Answer{said("1", "Last-Modified: "+dated), same(minute), said("2")},
			[]step{{0, "1", cache.Miss, 1, ""}, {0, "1", cache.Revalidated, 2, dated}, {59 * time.Second, "1", cache.Hit, 2, dated}},
		},
		{
			"a new answer takes the place of the old one",
			[]upstreamtest.Answer{said("1", "ETag: "+tagA), said("2", "ETag: "+tagB), same()},
			[]step{{0, "1", cache.Miss, 1, ""}, {0, "2", cache.Miss, 2, tagA}, {0, "2", cache.Revalidated, 3, tagB}},
		},
		{
			"no-store is not kept",
			[]upstreamtest.Answer{said("1", noStore, "ETag: "+tagA), said("2")},
			[]step{{0, "1", cache.Miss, 1, ""}, {0, "2", cache.Miss, 2, ""}},
		},
		{
			"no-store takes back what was kept",
			[]upstreamtest.Answer{said("1", "ETag: "+tagA), said("2", noStore), said("3")},
			[]step{{0, "1", cache.Miss, 1, ""}, {0, "2", cache.Miss, 2, tagA}, {0, "3", cache.Miss, 3, ""}},
		},
		{
			"a 304 with no-store gives the stored value for the last time",
			[]upstreamtest.Answer{said("1", "ETag: "+tagA), same(noStore), said("3")},
			[]step{{0, "1", cache.Miss, 1, ""}, {0, "1", cache.Revalidated, 2, tagA}, {0, "3", cache.Miss, 3, ""}},
		},
		{
			"a 304 that nobody asked for is no answer",
			[]upstreamtest.Answer{same(minute), said("1")},
			[]step{{0, "bad_answer", 0, 1, ""}, {0, "1", cache.Miss, 2, ""}},
		},
		{
			"what varies by nothing that can be known is not kept",
			[]upstreamtest.Answer{said("1", minute, "Vary: *"), said("2")},
			[]step{{0, "1", cache.Miss, 1, ""}, {0, "2", cache.Miss, 2, ""}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: tt.answers}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				for _, s := range tt.steps {
					s.take(t, as(t.Context(), "ada"), client, service)
				}
			})
		})
	}
}

// useless are answers that hold no value, whatever their header says.
var useless = []struct {
	name   string
	answer upstreamtest.Answer
	kind   upstream.Kind
	meant  bool // the service says what it means: what was kept is forgotten
}{
	{"500", status(500), upstream.BadAnswer, false},
	{"503", status(503), upstream.BadAnswer, false},
	{"429", status(429), upstream.Shed, false},
	{"no connection", upstreamtest.Answer{Err: errRefused}, upstream.Refused, false},
	{"half a value", said(`1"`, minute), upstream.BadAnswer, false},
	{"a value that is not valid", said("", minute), upstream.BadAnswer, false},
	{"HTML", upstreamtest.Answer{ContentType: "text/html", Header: http.Header{"Cache-Control": {"max-age=600"}}}, upstream.BadAnswer, false},
	{"401", status(401), upstream.Denied, true},
	{"403", status(403), upstream.Denied, true},
	{"404", status(404), upstream.Denied, true},
	{"410", status(410), upstream.BadAnswer, true},
	{"204", status(204), upstream.BadAnswer, true},
	{"302", status(302), upstream.BadAnswer, true},
}

func TestWhatHoldsNoValueIsNotKept(t *testing.T) {
	t.Parallel()
	for _, tt := range useless {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{tt.answer, said("2")}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				step{0, string(tt.kind), 0, 1, ""}.take(t, as(t.Context(), "ada"), client, service)
				step{0, "2", cache.Miss, 2, ""}.take(t, as(t.Context(), "ada"), client, service)
			})
		})
	}
}

func TestWhatHoldsNoValueTakesTheKeptAnswerBackOnlyIfItIsMeant(t *testing.T) {
	t.Parallel()
	for _, tt := range useless {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := &script{answers: []upstreamtest.Answer{said("1", "ETag: "+tagA), tt.answer, said("3")}}
				client := clientOf(t, service, upstream.Policy{}, "http://a.test")
				condition := tagA
				if tt.meant {
					condition = ""
				}
				for _, s := range []step{{0, "1", cache.Miss, 1, ""}, {0, string(tt.kind), 0, 2, tagA}, {0, "3", cache.Miss, 3, condition}} {
					s.take(t, as(t.Context(), "ada"), client, service)
				}
			})
		})
	}
}
