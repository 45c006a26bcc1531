// Command compose tries docker-compose.yml as people run it: it builds the images, starts everything with replicas under
// a project name of its own and on free ports, and looks from outside at what a client, a partner, a browser and an
// operator would see, also while services stop and replicas are killed. It ends by taking everything down.
//
// It wants the root of the repository as its directory. The exit status is 0 when all of it was seen, and also when there
// is no Docker engine, which counts as not run and is said loudly; otherwise 1.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// allWithin bounds everything but the making of images.
	allWithin = 15 * time.Minute
	// downWithin bounds the end, which drains.
	downWithin = 2 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once nobody waits for signals any more, a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Stdout))
}

// run is the exit status.
func run(ctx context.Context, out io.Writer) int {
	begun := time.Now()
	switch err := images(ctx, out); {
	case errors.Is(err, errNoEngine):
		_, _ = fmt.Fprint(out, "\n*** compose-test NOT RUN: no Docker engine ***\n\n")
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(out, "compose-test:", err)
		return 1
	}
	err := try(ctx, out)
	took := time.Since(begun).Round(time.Second)
	if err != nil {
		_, _ = fmt.Fprintf(out, "FAIL compose-test after %v: %v\n", took, err)
		return 1
	}
	_, _ = fmt.Fprintf(out, "PASS compose-test in %v\n", took)
	return 0
}

// try starts the suite, takes the steps and takes everything down, whatever happened before.
func try(ctx context.Context, out io.Writer) (err error) {
	s, err := newSuite(ctx)
	if err != nil {
		return err
	}
	defer func() {
		// Also when a signal has ended ctx.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), downWithin)
		defer cancel()
		if err != nil {
			_, _ = fmt.Fprintln(out, s.project.lastWords(ctx))
		}
		err = errors.Join(err, take(ctx, out, step{"taking everything down", s.down}))
	}()
	ctx, cancel := context.WithTimeout(ctx, allWithin)
	defer cancel()
	for _, next := range s.steps() {
		if err := take(ctx, out, next); err != nil {
			return err
		}
	}
	return nil
}

// step is something to do and see.
type step struct {
	name string
	do   func(ctx context.Context) (saw string, err error)
}

// take takes a step and says what it saw and how long that took.
func take(ctx context.Context, out io.Writer, next step) error {
	begun := time.Now()
	saw, err := next.do(ctx)
	took := time.Since(begun).Seconds()
	if err != nil {
		_, _ = fmt.Fprintf(out, "FAIL %6.1fs  %s: %v\n", took, next.name, err)
		return fmt.Errorf("%s: %w", next.name, err)
	}
	_, _ = fmt.Fprintf(out, "ok   %6.1fs  %s: %s\n", took, next.name, saw)
	return nil
}
