package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"bff.internal/shared/problem"
)

// Kind is why a call gave no useful answer, in the words that clients read as a section's reason.
type Kind string

// The kinds of failure.
const (
	// Timeout: no answer before the deadline.
	Timeout Kind = "timeout"
	// Refused: no connection.
	Refused Kind = "refused"
	// Denied: the service answered 401, 403 or 404.
	Denied Kind = "denied"
	// Rejected: the service did not make the change that it was asked for, and said so by 409, 412 or 422; or the key was none.
	Rejected Kind = "rejected"
	// BadAnswer: any other answer that is no use.
	BadAnswer Kind = "bad_answer"
	// BreakerOpen: no replica was asked, because the circuit of each is open.
	BreakerOpen Kind = "breaker_open"
	// Shed: the service is asked for more than it can take.
	Shed Kind = "shed"
	// Cancelled: we stopped waiting, because the caller left or the answer was already lost.
	Cancelled Kind = "cancelled"
)

// What callers are told to wait: until a circuit probes, or until load may have passed.
const (
	retryAfterOpen = openFor
	retryAfterShed = time.Second
)

// Error is a call that gave no useful answer.
type Error struct {
	Service string
	Kind    Kind
	// Status is the service's own, or 0 if it gave none, or what stands for it when the call could not be made.
	Status int
	// Err is the cause, or nil when the Status says it all.
	Err error

	ours  bool // the token that the service judged was the BFF's own
	begun bool // the first byte of an answer had come
}

// Error says what happened, for the log.
func (e *Error) Error() string {
	text := e.Service + ": " + string(e.Kind)
	if e.Status != 0 {
		text += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause. That of Cancelled is context.Canceled and that of Timeout
// context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.Err }

// Reason is the Kind as a section's reason.
func (e *Error) Reason() string { return string(e.Kind) }

// Problem says how the error looks to the caller, who never learns which service it was.
func (e *Error) Problem() *problem.Problem {
	switch e.Kind {
	case Timeout:
		return problem.From(context.DeadlineExceeded).Because(e)
	case Cancelled:
		return problem.From(context.Canceled).Because(e)
	case BreakerOpen:
		return e.unavailable(retryAfterOpen)
	case Shed:
		return e.unavailable(retryAfterShed)
	case Refused:
		return problem.New(http.StatusBadGateway, "unreachable",
			"A service behind this answer could not be reached.").Because(e)
	case Denied:
		if !e.ours {
			return e.denial().Because(e)
		}
	case Rejected:
		return e.rejection().Because(e)
	case BadAnswer:
		if thrown, ok := errors.AsType[*panicError](e.Err); ok {
			return problem.From(thrown).Because(e)
		}
	}
	return problem.New(http.StatusBadGateway, "bad_answer",
		"A service behind this answer gave no useful answer.").Because(e)
}

func (e *Error) unavailable(retryAfter time.Duration) *problem.Problem {
	return problem.New(http.StatusServiceUnavailable, "unavailable",
		"A service behind this answer is not available at the moment.").RetryAfter(retryAfter).Because(e)
}

// denial is the service's judgement of the caller's own token, which stays what it is.
func (e *Error) denial() *problem.Problem {
	switch e.Status {
	case http.StatusUnauthorized:
		return problem.New(e.Status, "invalid_token", "The token was not accepted.").
			With("WWW-Authenticate", `Bearer error="invalid_token"`)
	case http.StatusForbidden:
		return problem.New(e.Status, "forbidden", "The token does not allow this.")
	default:
		return problem.New(http.StatusNotFound, "not_found", "There is nothing here.")
	}
}

// rejection is the service's judgement of a change, which stays what it is.
func (e *Error) rejection() *problem.Problem {
	switch e.Status {
	case http.StatusConflict:
		return problem.New(e.Status, "conflict", "This contradicts what is there.")
	case http.StatusPreconditionFailed:
		return problem.New(e.Status, "precondition_failed", "What is there is not what the request expects.")
	default:
		return problem.New(http.StatusUnprocessableEntity, "unprocessable", "This cannot be done as it was asked for.")
	}
}

func (c *Client) fail(kind Kind, status int, err error) *Error {
	return &Error{Service: c.service, Kind: kind, Status: status, Err: err}
}

// wrap makes sure that what left the stack is an *Error.
func (c *Client) wrap(ctx context.Context, err error) error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	return wireError(ctx, c.service, err)
}

// panicError is a mistake of ours, in a goroutine that others wait for.
type panicError struct {
	value any
	stack []byte
}

// Error says the value and the stack: it is for the log, where the mistake has to be found.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }
