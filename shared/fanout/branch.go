package fanout

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"bff.internal/shared/cache"
)

// Branch is the value of one section, once Wait has returned.
type Branch[T any] struct {
	section

	group *Group
	value T
}

// Value returns what the section's call returned, or the zero value if it failed. It panics before
// Wait has returned.
func (b *Branch[T]) Value() T {
	if !b.group.waited {
		panic("fanout: Value of " + b.name + " before Wait")
	}
	return b.value
}

// PanicError is the error of a section whose call panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error says the value and the stack: it is for the log, where the mistake has to be found.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// section is what a Group knows of a Branch, whatever its type.
type section struct {
	name      string
	required  bool
	cancelled bool
	within    time.Duration
	took      time.Duration
	ended     time.Time
	err       error
	notes     cache.Notes
}

func start[A, T any](g *Group, name string, required bool, call Call[A, T], arg A, opts []Option) *Branch[T] {
	if slices.ContainsFunc(g.sections, func(other *section) bool { return other.name == name }) {
		panic("fanout: two sections named " + name)
	}
	b := &Branch[T]{group: g}
	b.name, b.required = name, required
	for _, opt := range opts {
		b.within = opt.within
	}
	g.sections = append(g.sections, &b.section)
	g.tasks.Go(func() error {
		begun := time.Now()
		value, err := run(g.ctx, &b.section, call, arg)
		b.ended, b.err = time.Now(), err
		b.took = b.ended.Sub(begun)
		if err == nil {
			b.value = value
		}
		return g.end(&b.section)
	})
	return b
}

// run makes the call within the section's deadline and span, and turns a panic into an error.
func run[A, T any](ctx context.Context, s *section, call Call[A, T], arg A) (value T, err error) {
	if s.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.within)
		defer cancel()
	}
	ctx = cache.WithNotes(ctx, &s.notes)
	if parent := trace.SpanFromContext(ctx); parent.IsRecording() {
		var span trace.Span
		ctx, span = parent.TracerProvider().Tracer("bff.internal/shared/fanout").Start(ctx, "section "+s.name)
		defer func() {
			if err != nil {
				span.SetStatus(codes.Error, reason(err))
			}
			span.End()
		}()
	}
	defer func() {
		if thrown := recover(); thrown != nil {
			err = &PanicError{Value: thrown, Stack: debug.Stack()}
		}
	}()
	return call(ctx, arg)
}
