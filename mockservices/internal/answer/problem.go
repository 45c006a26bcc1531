package answer

import (
	"errors"
	"maps"
	"net/http"
)

// Problem is an RFC 9457 problem. It is an error, so that handlers can return it.
type Problem struct { //nolint:errname // a problem is an answer, which may travel as an error
	Title  string      `json:"title"`            // the status in words, the same in every occurrence
	Status int         `json:"status"`           // the HTTP status it is answered with
	Detail string      `json:"detail,omitzero"`  // this occurrence, for people
	Code   string      `json:"code"`             // this kind of problem, for machines
	Errors []Violation `json:"errors,omitempty"` // what is wrong where in a body, if that is the problem
	Header http.Header `json:"-"`                // sent along, such as Allow or WWW-Authenticate; nil for none
}

// Violation is one thing that is wrong with a request's body.
type Violation struct {
	Detail  string `json:"detail"`
	Pointer string `json:"pointer"` // JSON Pointer (RFC 6901) to the member
}

// NewProblem is a problem with the title that belongs to its status.
func NewProblem(status int, code, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// Error is the problem in one line.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// Error answers err: a [Problem] as itself, anything else as a 500 that says what happened, for a stand-in has
// nothing to hide. Statuses that carry no body (204 and 304) get none.
func Error(w http.ResponseWriter, err error) {
	var problem *Problem
	if !errors.As(err, &problem) {
		problem = NewProblem(http.StatusInternalServerError, "internal", err.Error())
	}
	maps.Copy(w.Header(), problem.Header)
	w.Header().Set("Cache-Control", "no-store")
	if problem.Status == http.StatusNoContent || problem.Status == http.StatusNotModified {
		w.WriteHeader(problem.Status)
		return
	}
	body(w, problem.Status, "application/problem+json", encode(problem))
}
