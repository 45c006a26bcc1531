package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	// steadyAfter is how long work has to run to be forgiven its earlier failures.
	steadyAfter = time.Minute
)

// work owns the goroutines of Platform.Go.
type work struct {
	log *slog.Logger

	mu      sync.Mutex
	stopped bool
	tasks   []*task
}

type task struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
}

func newWork(log *slog.Logger) *work { return &work{log: log} }

func (w *work) start(name string, f func(ctx context.Context) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	t := &task{name: name, cancel: cancel, done: make(chan struct{})}
	w.tasks = append(w.tasks, t)
	go func() {
		defer w.forget(t)
		w.keepRunning(ctx, name, f)
	}()
}

func (w *work) forget(t *task) {
	t.cancel()
	close(t.done)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks = slices.DeleteFunc(w.tasks, func(other *task) bool { return other == t })
}

// stop cancels everything and waits for it, as long as ctx allows.
func (w *work) stop(ctx context.Context) {
	w.mu.Lock()
	w.stopped = true
	tasks := slices.Clone(w.tasks)
	w.mu.Unlock()
	for _, t := range tasks {
		t.cancel()
	}
	for _, t := range tasks {
		select {
		case <-t.done:
		case <-ctx.Done():
		}
		select {
		case <-t.done:
		default:
			w.log.WarnContext(ctx, "background work does not stop", "name", t.name)
		}
	}
}

func (w *work) keepRunning(ctx context.Context, name string, f func(ctx context.Context) error) {
	pause := firstPause
	for {
		began := time.Now()
		err := protected(ctx, f)
		stopping := ctx.Err() != nil
		if err == nil || (stopping && errors.Is(err, context.Canceled)) {
			return
		}
		w.report(ctx, name, err)
		if stopping {
			return
		}
		if time.Since(began) >= steadyAfter {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

func (w *work) report(ctx context.Context, name string, err error) {
	level, attrs := slog.LevelWarn, []slog.Attr{slog.String("name", name), slog.String("error", err.Error())}
	if panicked, ok := errors.AsType[*panicError](err); ok {
		level, attrs = slog.LevelError, append(attrs, slog.String("stack", panicked.stack))
	}
	w.log.LogAttrs(ctx, level, "background work failed", attrs...)
}

// panicError is a panic of background work.
type panicError struct {
	thrown any
	stack  string
}

// Error is what was thrown.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.thrown) }

func protected(ctx context.Context, f func(ctx context.Context) error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = &panicError{thrown: thrown, stack: string(debug.Stack())}
		}
	}()
	return f(ctx)
}
