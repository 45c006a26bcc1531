package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/fanout"
	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
)

// Fail answers with the problem that err is, and is the only way in which an error becomes an answer: for
// handlers, which return their error, and for middleware, which is given this function. The cause goes to
// the log alone. A client that left gets nothing; an answer already begun is left as it is.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	event := telemetry.EventFrom(r.Context())
	event.Fail(err)
	answer := recorded(w)
	if answer != nil && answer.status != 0 {
		return
	}

	p := *problemOf(err)
	if p.Status == problem.StatusClientGone {
		p = *ended(r.Context(), &p)
	}
	if lost, ok := errors.AsType[*fanout.Error](err); ok {
		note(event, w.Header(), lost.Report)
		if lost.Section != "" && p.Status >= http.StatusInternalServerError {
			p.Detail = "Without the section " + lost.Section + " there is no answer. " + p.Detail
		}
	}
	if p.Status == problem.StatusClientGone {
		if answer != nil {
			answer.status = p.Status
		}
		return
	}
	p.TraceID = telemetry.TraceID(r.Context())
	if err := p.Write(w); err != nil {
		event.Fail(err)
	}
}

// ended says who ended a request before its answer: the client, for which gone is right, or somebody else.
func ended(ctx context.Context, gone *problem.Problem) *problem.Problem {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.Canceled): // as net/http says that the connection is gone
		return gone
	case cause != nil:
		return problem.New(http.StatusServiceUnavailable, "stopping", "This server is about to stop. Please try again.").RetryAfter(0)
	default: // something was cancelled that the request did not ask to end
		return problem.From(nil)
	}
}

// problemOf also knows echo's own errors, which only say a status.
func problemOf(err error) *problem.Problem {
	own, ok := errors.AsType[*echo.HTTPError](err)
	if !ok {
		return problem.From(err)
	}
	switch own.Code {
	case http.StatusNotFound:
		return problem.New(own.Code, "not_found", "There is nothing here.").Because(err)
	case http.StatusMethodNotAllowed:
		return problem.New(own.Code, "method_not_allowed", "This method is not offered here; the header Allow lists those that are.").Because(err)
	default:
		return problem.From(err)
	}
}
