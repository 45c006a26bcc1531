package fanout

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Call is how upstream methods look: a context and one argument, an id or a query struct. It must
// return soon after its context ends, for Wait waits for it.
type Call[A, T any] = func(context.Context, A) (T, error)

// Group is the sections of one answer. It serves one request: sections are declared and waited for on
// one goroutine. Every Group must be waited for, or its sections run until their deadline unheard.
type Group struct {
	ctx    context.Context
	parent context.Context
	cancel context.CancelFunc
	tasks  errgroup.Group

	sections []*section  // in the order of declaration
	first    [4]*section // room for the usual number without another allocation
	waited   bool
}

// New returns a Group whose sections all end when ctx does, and at the latest after budget.
func New(ctx context.Context, budget time.Duration) *Group {
	g := &Group{parent: ctx}
	g.ctx, g.cancel = context.WithTimeout(ctx, budget)
	g.sections = g.first[:0]
	return g
}

// Option changes how one section is called.
type Option struct{ within time.Duration }

// Within gives a section a deadline of its own, tighter than the budget of the Group.
func Within(d time.Duration) Option { return Option{within: d} }

// Required starts a section without which there is no answer: when it fails, all others are cancelled
// and Wait returns its error. The name is part of the contract with the client; two sections of one
// Group with the same name are a programmer's mistake, and panic.
func Required[A, T any](g *Group, name string, call Call[A, T], arg A, opts ...Option) *Branch[T] {
	return start(g, name, true, call, arg, opts)
}

// Optional starts a section that the answer can live without: when it fails, the Report says why.
func Optional[A, T any](g *Group, name string, call Call[A, T], arg A, opts ...Option) *Branch[T] {
	return start(g, name, false, call, arg, opts)
}

// Wait returns when every section has ended. The error is nil, or an *Error: then the answer cannot be
// given, because a required section failed (the first declared one decides; one that failed only because
// we cancelled it does not count) or because the caller left.
func (g *Group) Wait() (Report, error) {
	failed := g.tasks.Wait() != nil
	g.cancel()
	g.waited = true

	report := Report{Sections: make([]Section, len(g.sections))}
	for i, s := range g.sections {
		report.Sections[i] = s.report()
	}
	if left := g.parent.Err(); errors.Is(left, context.Canceled) {
		return report, &Error{Report: report, Err: left}
	}
	if failed {
		i := slices.IndexFunc(g.sections, (*section).decides)
		return report, &Error{Section: g.sections[i].name, Report: report, Err: g.sections[i].err}
	}
	return report, nil
}

// decides reports whether the answer is lost because of this section.
func (s *section) decides() bool { return s.required && s.err != nil && !s.cancelled }

// end files how a section ended and, if the answer is lost with it, cancels the others.
func (g *Group) end(s *section) error {
	if s.err == nil {
		return nil
	}
	s.cancelled = errors.Is(g.ctx.Err(), context.Canceled) && errors.Is(s.err, context.Canceled)
	if !s.decides() {
		return nil
	}
	g.cancel()
	return s.err
}
