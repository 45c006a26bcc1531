package fanout

import (
	"context"
	"errors"
	"time"

	"bff.internal/shared/cache"
)

// Report is how the sections of an answer came about, in the order of their declaration.
type Report struct{ Sections []Section }

// Partial reports whether a section is missing from the answer.
func (r Report) Partial() bool {
	for _, s := range r.Sections {
		if s.Err != nil {
			return true
		}
	}
	return false
}

// Section is how one section came about.
type Section struct {
	Name string
	// Took is how long its call ran.
	Took time.Duration
	// Err is nil if the section has its value.
	Err error
	// Cancelled says that the section failed only because the answer was already lost, or nobody wanted it
	// any more.
	Cancelled bool
	// Use says where the answers came from that the value was made of, and for how long it is good from now on.
	Use cache.Use
}

func (s *section) report() Section {
	use := s.notes.Use()
	if use.Explicit { // the value has waited for others
		use.Remaining -= time.Since(s.ended)
	}
	return Section{Name: s.name, Took: s.took, Err: s.err, Cancelled: s.cancelled, Use: use}
}

// The states of a section, as clients and logs read them.
const (
	StatusOK          = "ok"
	StatusStale       = "stale"
	StatusUnavailable = "unavailable"
	StatusCancelled   = "cancelled"
)

// Status returns one of the states above.
func (s Section) Status() string {
	switch {
	case s.Err == nil && s.Use.Status == cache.Stale:
		return StatusStale
	case s.Err == nil:
		return StatusOK
	case s.Cancelled:
		return StatusCancelled
	default:
		return StatusUnavailable
	}
}

// Reason says in one word why the section is unavailable, or "" if it is not. An error that has a
// Reason method decides for itself; a deadline is "timeout", anything else a "bad_answer".
func (s Section) Reason() string {
	if s.Err == nil || s.Cancelled {
		return ""
	}
	return reason(s.Err)
}

func reason(err error) string {
	var own interface{ Reason() string }
	switch {
	case errors.As(err, &own):
		return own.Reason()
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "bad_answer"
	}
}

// Error is why an answer cannot be given at all.
type Error struct {
	// Section is the name of the required section that failed, or "" when the caller left.
	Section string
	// Report is how all sections came about.
	Report Report
	// Err is the error of that section.
	Err error
}

// Error names the section and its error.
func (e *Error) Error() string {
	if e.Section == "" {
		return "fan-out: " + e.Err.Error()
	}
	return "section " + e.Section + ": " + e.Err.Error()
}

// Unwrap returns the section's error.
func (e *Error) Unwrap() error { return e.Err }
