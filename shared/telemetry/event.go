package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Event is the one log line of a request, filled in while the request is served. It may be used
// concurrently; a nil Event takes everything and keeps nothing, so that code below the edge need not ask
// whether it is observed.
type Event struct {
	requestID string

	mu       sync.Mutex
	route    string
	caller   Caller
	err      error
	sections []Section
	calls    []Call
}

// Caller is who is asking, as far as the log is concerned.
type Caller struct {
	// Kind is "user" or "partner".
	Kind string
	// ID is the caller's stable id, never a token or a key.
	ID string
}

// Section is how one part of an aggregated answer came about.
type Section struct {
	Name string
	// Status is "ok", "stale", "unavailable" or "cancelled".
	Status string
	// Reason is why it is unavailable, in one word.
	Reason string
	// Err is the error behind the reason, for the log alone.
	Err      error
	Duration time.Duration
}

// Call is one logical call to an upstream service.
type Call struct {
	Service string
	// Outcome is "ok" or the reason why there was no useful answer.
	Outcome string
	// From says where the answer came from when it is one that might have been stored, such as "hit" or "miss".
	From     string
	Duration time.Duration
}

type eventKey struct{}

// NewEvent returns the event of the request with the given id.
func NewEvent(requestID string) *Event { return &Event{requestID: requestID} }

// WithEvent returns a context that carries the event.
func WithEvent(ctx context.Context, event *Event) context.Context {
	return context.WithValue(ctx, eventKey{}, event)
}

// EventFrom returns the event of the request, or nil outside any.
func EventFrom(ctx context.Context) *Event {
	event, _ := ctx.Value(eventKey{}).(*Event)
	return event
}

// RequestID returns the id under which the request is known on every hop.
func (e *Event) RequestID() string {
	if e == nil {
		return ""
	}
	return e.requestID
}

// SetRoute says which route took the request, by its template.
func (e *Event) SetRoute(template string) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.route = template
}

// Route returns the template of the route that took the request, or "" when none did.
func (e *Event) Route() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.route
}

// Caller returns who is asking; the zero value when nobody has said so.
func (e *Event) Caller() Caller {
	if e == nil {
		return Caller{}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.caller
}

// SetCaller says who is asking.
func (e *Event) SetCaller(caller Caller) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.caller = caller
}

// SetSections says how the parts of an aggregated answer came about.
func (e *Event) SetSections(sections []Section) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sections = sections
}

// AddCall adds a call to an upstream service.
func (e *Event) AddCall(call Call) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, call)
}

// Fail says why the request was not answered as asked. The first error stays.
func (e *Event) Fail(err error) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
	}
}

// Unavailable returns the sections that had to be left out of the answer.
func (e *Event) Unavailable() []Section {
	e.mu.Lock()
	defer e.mu.Unlock()
	var missing []Section
	for _, s := range e.sections {
		if s.Reason != "" {
			missing = append(missing, s)
		}
	}
	return missing
}

// Attrs returns what was gathered, ready for the log line.
func (e *Event) Attrs() []slog.Attr {
	e.mu.Lock()
	defer e.mu.Unlock()
	attrs := make([]slog.Attr, 0, 16) // room for what the edge adds
	attrs = append(attrs, slog.String("requestId", e.requestID), slog.String("route", e.route))
	if e.caller.Kind != "" {
		attrs = append(attrs, slog.String("callerKind", e.caller.Kind), slog.String("callerId", e.caller.ID))
	}
	if len(e.sections) > 0 {
		attrs = append(attrs, slog.Attr{Key: "sections", Value: slog.GroupValue(groups(e.sections, Section.attr)...)})
	}
	if len(e.calls) > 0 {
		attrs = append(attrs, slog.Attr{Key: "upstreams", Value: slog.GroupValue(groups(e.calls, Call.attr)...)})
	}
	if e.err != nil {
		attrs = append(attrs, slog.String("error", e.err.Error()))
	}
	return attrs
}

func groups[T any](parts []T, attr func(T) slog.Attr) []slog.Attr {
	attrs := make([]slog.Attr, len(parts))
	for i, part := range parts {
		attrs[i] = attr(part)
	}
	return attrs
}

func (s Section) attr() slog.Attr {
	attrs := []slog.Attr{slog.String("status", s.Status), slog.Float64("ms", Milliseconds(s.Duration))}
	if s.Reason != "" {
		attrs = append(attrs, slog.String("reason", s.Reason))
	}
	if s.Err != nil {
		attrs = append(attrs, slog.String("error", s.Err.Error()))
	}
	return slog.Attr{Key: s.Name, Value: slog.GroupValue(attrs...)}
}

func (c Call) attr() slog.Attr {
	attrs := []slog.Attr{slog.String("outcome", c.Outcome), slog.Float64("ms", Milliseconds(c.Duration))}
	if c.From != "" {
		attrs = append(attrs, slog.String("from", c.From))
	}
	return slog.Attr{Key: c.Service, Value: slog.GroupValue(attrs...)}
}

// Milliseconds is d with a precision of a microsecond, as logs and Server-Timing say it.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
