package upstream_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"bff.internal/shared/problem"
	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

func TestSend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer upstreamtest.Answer
		kind   upstream.Kind // "" means that there is no error
		id     string        // of the value
		status int           // of the problem
		code   string
	}{
		{name: "200 brings a value", answer: upstreamtest.Answer{Body: `{"id":"1"}`}, id: "1"},
		{name: "201 brings a value", answer: upstreamtest.Answer{Status: 201, Body: `{"id":"1"}`}, id: "1"},
		{name: "204 brings nothing", answer: upstreamtest.Answer{Status: 204}},
		{name: "200 without a value", answer: upstreamtest.Answer{Body: `{}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "201 with half a value", answer: upstreamtest.Answer{Status: 201, Body: `{"id"`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "202 is nothing to rely on", answer: upstreamtest.Answer{Status: 202, Body: `{"id":"1"}`}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "303 is not followed", answer: upstreamtest.Answer{Status: 303, Header: http.Header{"Location": {"http://evil.test/"}}}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "400 is our failure", answer: upstreamtest.Answer{Status: 400}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "401 stays", answer: upstreamtest.Answer{Status: 401}, kind: upstream.Denied, status: 401, code: "invalid_token"},
		{name: "403 stays", answer: upstreamtest.Answer{Status: 403}, kind: upstream.Denied, status: 403, code: "forbidden"},
		{name: "404 stays", answer: upstreamtest.Answer{Status: 404}, kind: upstream.Denied, status: 404, code: "not_found"},
		{name: "409 stays", answer: upstreamtest.Answer{Status: 409, Body: "hunter2"}, kind: upstream.Rejected, status: 409, code: "conflict"},
		{name: "412 stays", answer: upstreamtest.Answer{Status: 412, Body: "hunter2"}, kind: upstream.Rejected, status: 412, code: "precondition_failed"},
		{name: "422 stays", answer: upstreamtest.Answer{Status: 422, Body: "hunter2"}, kind: upstream.Rejected, status: 422, code: "unprocessable"},
		{name: "429 is load", answer: upstreamtest.Answer{Status: 429}, kind: upstream.Shed, status: 503, code: "unavailable"},
		{name: "500", answer: upstreamtest.Answer{Status: 500}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "503", answer: upstreamtest.Answer{Status: 503}, kind: upstream.BadAnswer, status: 502, code: "bad_answer"},
		{name: "no connection", answer: upstreamtest.Answer{Err: errRefused}, kind: upstream.Refused, status: 502, code: "unreachable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var transport upstreamtest.Transport
			transport.Answer("/things/1", tt.answer)
			got, err := upstream.Send[thing](t.Context(), upstreamtest.Client(t, &transport), upstream.Write{Method: http.MethodPut, Target: aThing})
			if (err == nil) != (tt.kind == "") || kindOf(err) != tt.kind || got.ID != tt.id {
				t.Fatalf("Send = %+v, %v; want %q, %q", got, err, tt.id, tt.kind)
			}
			if err == nil {
				return
			}
			if p := problem.From(err); p.Status != tt.status || p.Code != tt.code || strings.Contains(p.Error()+p.Detail, "hunter2") {
				t.Errorf("problem = %d %s %s, want %d %s", p.Status, p.Code, p.Detail, tt.status, tt.code)
			}
		})
	}
}

func TestWhatAWriteSends(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		write       upstream.Write
		body        string
		contentType string
		key         string
	}{
		{"a body", upstream.Write{Method: http.MethodPost, Body: map[string]any{"amount": 1}}, `{"amount":1}`, "application/json", ""},
		{"nothing", upstream.Write{Method: http.MethodDelete}, "", "", ""},
		{"a key", upstream.Write{Method: http.MethodPatch, Body: []int{}, IdempotencyKey: "a key; with=all"}, "[]", "application/json", `"a key; with=all"`},
		{"the longest key", upstream.Write{Method: http.MethodPut, IdempotencyKey: strings.Repeat("k", 255)}, "", "", `"` + strings.Repeat("k", 255) + `"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var transport upstreamtest.Transport
			transport.Handle("/things/1", func(req *http.Request) upstreamtest.Answer {
				if req.Body == nil {
					req.Body = http.NoBody
				}
				body, err := io.ReadAll(req.Body)
				if err != nil || string(body) != tt.body || req.ContentLength != int64(len(tt.body)) {
					t.Errorf("the body is %q of %d bytes, %v; want %q", body, req.ContentLength, err, tt.body)
				}
				return upstreamtest.Answer{Status: http.StatusNoContent}
			})
			tt.write.Target = aThing
			if _, err := upstream.Send[thing](t.Context(), upstreamtest.Client(t, &transport), tt.write); err != nil {
				t.Fatal(err)
			}
			req := transport.Requests()[0]
			if req.Method != tt.write.Method || req.Header.Get("Content-Type") != tt.contentType || req.Header.Get("Idempotency-Key") != tt.key {
				t.Errorf("%s with Content-Type %q and key %q, want %s, %q and %q", req.Method, req.Header.Get("Content-Type"), req.Header.Get("Idempotency-Key"), tt.write.Method, tt.contentType, tt.key)
			}
		})
	}
}

func TestAWriteThatCannotBeSentIsNot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		write  upstream.Write
		status int
	}{
		{"a quote in the key", upstream.Write{IdempotencyKey: `a"b`}, 422},
		{"a backslash in the key", upstream.Write{IdempotencyKey: `a\b`}, 422},
		{"a line break in the key", upstream.Write{IdempotencyKey: "a\r\nX-Evil: 1"}, 422},
		{"a delete in the key", upstream.Write{IdempotencyKey: "a\x7f"}, 422},
		{"more than ASCII in the key", upstream.Write{IdempotencyKey: "ä"}, 422},
		{"too long a key", upstream.Write{IdempotencyKey: strings.Repeat("k", 256)}, 422},
		{"a body that is no JSON", upstream.Write{Body: func() {}}, 502},
		{"a path that leads elsewhere", upstream.Write{Target: upstream.Target{Path: []string{".."}}}, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var transport upstreamtest.Transport
				tt.write.Method = http.MethodPost
				if tt.write.Target.Path == nil {
					tt.write.Target = aThing
				}
				_, err := upstream.Send[thing](t.Context(), upstreamtest.Client(t, &transport), tt.write)
				if got := problem.From(err).Status; got != tt.status || len(transport.Requests()) != 0 {
					t.Errorf("%v: status %d and %d requests, want %d and none", err, got, len(transport.Requests()), tt.status)
				}
			})
		})
	}
}
