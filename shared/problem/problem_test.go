package problem_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bff.internal/shared/problem"
)

type ownProblem struct{}

func (ownProblem) Error() string { return "the secret cause" }

func (ownProblem) Problem() *problem.Problem {
	return problem.New(http.StatusBadGateway, "bad_answer", "A service gave no useful answer.")
}

func TestFrom(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"a problem stays itself, however deep", fmt.Errorf("a: %w", problem.New(404, "not_found", "")), 404, "not_found"},
		{"an error that knows its problem decides", fmt.Errorf("a: %w", ownProblem{}), 502, "bad_answer"},
		{"a client that left is 499", fmt.Errorf("a: %w", context.Canceled), problem.StatusClientGone, "client_gone"},
		{"a deadline is 504", fmt.Errorf("a: %w", context.DeadlineExceeded), 504, "timeout"},
		{"a body over its limit is 413", &http.MaxBytesError{Limit: 10}, 413, "body_too_large"},
		{"what nobody knows is 500", errors.New("dial 10.0.0.7: refused"), 500, "internal"},
		{"no error at all is 500", nil, 500, "internal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := problem.From(tt.err)
			if p.Status != tt.status || p.Code != tt.code {
				t.Errorf("From = %d %s, want %d %s", p.Status, p.Code, tt.status, tt.code)
			}
		})
	}
}

func TestWriteTellsNothingOfTheCause(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	err := errors.New("dial 10.0.0.7: refused")
	if err := problem.From(err).Write(rec); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(rec.Body.String(), "10.0.0.7") {
		t.Errorf("the cause is visible: %s", rec.Body)
	}
	const want = `{"title":"Internal Server Error","status":500,"detail":"Something went wrong on our side.","code":"internal"}`
	if rec.Body.String() != want {
		t.Errorf("body = %s, want %s", rec.Body, want)
	}
	if got := rec.Header().Get("Content-Type"); got != problem.ContentType {
		t.Errorf("Content-Type = %q", got)
	}
	if got := rec.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control = %q", got)
	}
}

func TestRetryAfterIsWholeSecondsRoundedUp(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2"} {
		if got := problem.New(503, "shed", "").RetryAfter(wait).Header("Retry-After"); got != want {
			t.Errorf("RetryAfter(%v) = %q, want %q", wait, got, want)
		}
	}
}

func TestWithLeavesTheOriginalAlone(t *testing.T) {
	t.Parallel()
	original := problem.New(405, "method_not_allowed", "").With("Allow", "GET")
	_ = original.With("Allow", "POST")
	if got := original.Header("Allow"); got != "GET" {
		t.Errorf("Allow = %q, want GET", got)
	}
}
