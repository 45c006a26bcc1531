package upstream_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"bff.internal/shared/problem"
	"bff.internal/shared/secret"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type thing struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

func (t thing) Validate() error {
	if t.ID == "" {
		return errors.New("no id")
	}
	return nil
}

var aThing = upstream.Target{Path: []string{"things", "1"}}

func get(ctx context.Context, client *upstream.Client) (thing, error) {
	return upstream.Get[thing](ctx, client, aThing)
}

func TestGet(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for _, tt := range []struct {
		name   string
		answer upstreamtest.Answer
		ours   bool
		kind   upstream.Kind // "" means that the value arrives
		status int           // of the problem
		code   string
	}{
		{name: "a value", answer: upstreamtest.Answer{Body: `{"id":"1"}`}},
		{name: "a value with members that nobody knows", answer: upstreamtest.Answer{Body: `{"id":"1","new":[1]}`}},
		{name: "any JSON media type", answer: upstreamtest.Answer{Body: `{"id":"1"}`, ContentType: "application/vnd.thing+json; charset=utf-8"}},
		{name: "no answer in time", answer: upstreamtest.Answer{Hang: true}, kind: upstream.Timeout, status: 504, code: "timeout"},
		{name: "a body that stalls", answer: upstreamtest.Answer{Body: `{"id":"1"}`, Stall: time.Hour}, kind: upstream.Timeout, status: 504, code: "timeout"},
		{name: "no connection", answer: upstreamtest.Answer{Err: refused}, kind: upstream.Refused, status: 502, code: "unreachable"},
		{name: "a connection that breaks", answer: upstreamtest.Answer{Err: errors.New("EOF")}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "500", answer: upstreamtest.Answer{Status: 500}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "503", answer: upstreamtest.Answer{Status: 503}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "429 is load, not failure", answer: upstreamtest.Answer{Status: 429}, kind: upstream.Shed, status: 503, code: "unavailable"},
		{name: "401 of the caller's token stays", answer: upstreamtest.Answer{Status: 401}, kind: upstream.Denied, status: 401, code: "invalid_token"},
		{name: "403 of the caller's token stays", answer: upstreamtest.Answer{Status: 403}, kind: upstream.Denied, status: 403, code: "forbidden"},
		{name: "404 for the caller's token stays", answer: upstreamtest.Answer{Status: 404}, kind: upstream.Denied, status: 404, code: "not_found"},
		{name: "401 of our own token is our failure", ours: true, answer: upstreamtest.Answer{Status: 401}, kind: upstream.Denied, status: 502, code: "bad_answer"},
		{name: "404 for our own token is our failure", ours: true, answer: upstreamtest.Answer{Status: 404}, kind: upstream.Denied, status: 502, code: "bad_answer"},
		{name: "a redirect is not followed", answer: upstreamtest.Answer{Status: 302, Header: http.Header{"Location": {"http://evil.test/"}}}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "no content is no value", answer: upstreamtest.Answer{Status: 204}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "HTML is no value", answer: upstreamtest.Answer{ContentType: "text/html", Body: "<p>"}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "half a value", answer: upstreamtest.Answer{Body: `{"id":"1`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "a value with a member twice", answer: upstreamtest.Answer{Body: `{"id":"1","id":"2"}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "a value and something behind it", answer: upstreamtest.Answer{Body: `{"id":"1"}{"id":"2"}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "a value of another type", answer: upstreamtest.Answer{Body: `{"id":{"password":"hunter2"}}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "a number that is none", answer: upstreamtest.Answer{Body: `{"id":hunter2}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "a time that is none", answer: upstreamtest.Answer{Body: `{"id":"1","at":"hunter2"}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "no HTTP at all", answer: upstreamtest.Answer{Err: errors.New(`malformed HTTP response "hunter2"`)}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "a value that is not valid", answer: upstreamtest.Answer{Body: `{}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "a content coding that nobody asked for", answer: upstreamtest.Answer{Body: "xx", Header: http.Header{"Content-Encoding": {"gzip"}}}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "more than the limit", answer: upstreamtest.Answer{Body: `{"id":"` + strings.Repeat("x", 1<<20) + `"}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport upstreamtest.Transport
				transport.Answer("/things/1", tt.answer)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				refusals := 0
				ctx = upstream.WithCredentials(ctx, upstream.Credentials{
					Token: secret.New("t"), Key: "k", Ours: tt.ours, Refused: func() { refusals++ },
				})

				got, err := get(ctx, upstreamtest.Client(t, &transport))
				if (refusals == 1) != (tt.answer.Status == http.StatusUnauthorized) {
					t.Errorf("the token was refused %d times", refusals)
				}
				if tt.kind == "" {
					if err != nil || got.ID != "1" {
						t.Errorf("Get = %+v, %v; want the thing", got, err)
					}
					return
				}
				var e *upstream.Error
				if !errors.As(err, &e) || e.Kind != tt.kind {
					t.Fatalf("error = %v, want %s", err, tt.kind)
				}
				if got != (thing{}) {
					t.Errorf("value = %+v beside an error, want none", got)
				}
				p := problem.From(err)
				if p.Status != tt.status || p.Code != tt.code {
					t.Errorf("problem = %d %s, want %d %s", p.Status, p.Code, tt.status, tt.code)
				}
				if strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the log tells what the service sent: %v", err)
				}
				if strings.Contains(p.Detail, "users") {
					t.Errorf("the caller learns the service's name: %s", p.Detail)
				}
				if (p.Status == http.StatusServiceUnavailable) != (p.Header("Retry-After") != "") {
					t.Errorf("Retry-After = %q beside %d", p.Header("Retry-After"), p.Status)
				}
			})
		})
	}
}

func TestACallerThatLeavesEndsTheExchange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var transport upstreamtest.Transport
		transport.Answer("/things/1", upstreamtest.Answer{Hang: true})
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		_, err := get(ctx, upstreamtest.Client(t, &transport))
		if !errors.Is(err, context.Canceled) || problem.From(err).Status != problem.StatusClientGone {
			t.Errorf("error = %v, want a caller that left", err)
		}
	})
}

func TestWhatAServiceIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var transport upstreamtest.Transport
		transport.Answer("/base/things/1", upstreamtest.Answer{Body: `{"id":"1"}`})
		client := upstream.New(upstream.Config{
			Service: "things", Replicas: upstreamtest.Replicas(t, "http://a.test:9001/base/"),
			Transport: &transport, Telemetry: upstreamtest.Telemetry(t),
		})
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		ctx, span := upstreamtest.Telemetry(t).Begin(ctx, http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}, "GET")
		defer span.End()
		ctx = telemetry.WithEvent(ctx, telemetry.NewEvent("request-1"))
		ctx = upstream.WithCredentials(ctx, upstream.Credentials{Token: secret.New("the-token"), Key: "k"})
		if _, err := get(ctx, client); err != nil {
			t.Fatal(err)
		}
		req := transport.Requests()[0]
		if got := req.URL.String(); got != "http://a.test:9001/base/things/1" {
			t.Errorf("URL = %s", got)
		}
		for name, want := range map[string]string{
			"Authorization":        "Bearer the-token",
			"X-Request-Id":         "request-1",
			upstream.TimeoutHeader: "250",
			"Accept":               "application/json",
			// The trace goes on; that the caller wants it recorded is not obeyed.
			"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
		} {
			if got := req.Header.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	})
}

func TestNoSegmentOfAPathLeavesItsPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, segment, want string // "" means that no request is made
	}{
		{"a plain id", "1", "/things/1"},
		{"a slash is escaped", "1/../2", "/things/1%2F..%2F2"},
		{"a query is escaped", "1?admin=1", "/things/1%3Fadmin=1"},
		{"two dots name nothing", "..", ""},
		{"a dot names nothing", ".", ""},
		{"nothing names nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var transport upstreamtest.Transport
			_, err := upstream.Get[thing](t.Context(), upstreamtest.Client(t, &transport),
				upstream.Target{Path: []string{"things", tt.segment}})
			if status := problem.From(err).Status; status != http.StatusNotFound {
				t.Errorf("status = %d, want 404", status)
			}
			got := ""
			if requests := transport.Requests(); len(requests) > 0 {
				got = requests[0].URL.RequestURI()
			}
			if got != tt.want {
				t.Errorf("asked for %q, want %q", got, tt.want)
			}
		})
	}
}
