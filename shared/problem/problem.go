// Package problem is the one form of an error answer: RFC 9457 problem details.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the media type of every error answer.
const ContentType = "application/problem+json"

// StatusClientGone is what is logged when the client left before its answer; it is never sent.
const StatusClientGone = 499

// Problem is an error as the caller sees it. Its cause, when there is one, is for the log and is
// never encoded.
type Problem struct {
	// Type is a URI registered with IANA, or empty, which RFC 9457 reads as "about:blank".
	Type string `json:"type,omitempty"`
	// Title is the phrase of the status. It never changes between occurrences.
	Title string `json:"title"`
	// Status equals the status of the answer.
	Status int `json:"status"`
	// Detail is for people: what went wrong this time, and what to do about it.
	Detail string `json:"detail,omitempty"`
	// Code is for machines. It is part of the contract and the same for every kind of client.
	Code string `json:"code"`
	// TraceID finds the request in logs and traces.
	TraceID string `json:"traceId,omitempty"`
	// Errors lists what is wrong with the input, when it is more than one thing.
	Errors []Invalid `json:"errors,omitempty"`

	header http.Header
	cause  error
}

// Invalid is one thing that is wrong with the input.
type Invalid struct {
	Detail string `json:"detail"`
	// Pointer is a JSON pointer (RFC 6901) into the request's body.
	Pointer string `json:"pointer,omitempty"`
}

// New returns a problem. The status decides the title.
func New(status int, code, detail string) *Problem {
	title := http.StatusText(status)
	if status == StatusClientGone {
		title = "Client Closed Request"
	}
	return &Problem{Title: title, Status: status, Code: code, Detail: detail}
}

// With returns the problem with a header that its answer carries, such as Allow.
func (p *Problem) With(name, value string) *Problem {
	c := *p
	c.header = p.header.Clone()
	if c.header == nil {
		c.header = http.Header{}
	}
	c.header.Set(name, value)
	return &c
}

// RetryAfter returns the problem with a Retry-After header of whole seconds, at least one.
func (p *Problem) RetryAfter(wait time.Duration) *Problem {
	seconds := max(1, int64((wait+time.Second-1)/time.Second))
	return p.With("Retry-After", strconv.FormatInt(seconds, 10))
}

// Because returns the problem with its cause, for the log and for errors.Is and errors.As.
func (p *Problem) Because(cause error) *Problem {
	c := *p
	c.cause = cause
	return &c
}

// Header returns the value of a header that the answer will carry.
func (p *Problem) Header(name string) string { return p.header.Get(name) }

// Error says the problem and its cause, for the log.
func (p *Problem) Error() string {
	text := strconv.Itoa(p.Status) + " " + p.Code
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	if p.cause != nil {
		text += ": " + p.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.cause }

// From says how err looks from outside. It never returns nil. An error that brings a Problem method
// decides for itself; what nobody knows is a 500 that tells nothing.
func From(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	var own interface{ Problem() *Problem }
	if errors.As(err, &own) {
		return own.Problem()
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return New(http.StatusRequestEntityTooLarge, "body_too_large",
			"The body of the request is larger than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes.").Because(err)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return New(StatusClientGone, "client_gone", "The client left before the answer was ready.").Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return New(http.StatusGatewayTimeout, "timeout", "The answer was not ready in time. Please try again.").Because(err)
	default:
		return New(http.StatusInternalServerError, "internal", "Something went wrong on our side.").Because(err)
	}
}

// Write answers with the problem. Nothing of its cause is sent, nor is it stored by any cache.
func (p *Problem) Write(w http.ResponseWriter) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	header := w.Header()
	maps.Copy(header, p.header)
	header.Set("Content-Type", ContentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, err = w.Write(body)
	return err
}
