// Command faults runs the suite as processes, breaks something, and counts what clients notice. Each scenario prints its
// figures beside their pass lines and beside what a naive build scores; counts, statuses and ratios decide, and times
// never do. --help lists the scenarios.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// options is what the flags say.
type options struct {
	run   []scenario
	short bool
	keep  bool
	caddy string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once nobody waits for signals any more, a second one ends the process at once, and its children with it.
	context.AfterFunc(ctx, stop)
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command returns the exit status: 0 when every scenario passes, 1 when one does not or could not run, 2 when the
// arguments are wrong.
func command(ctx context.Context, args []string, out, complaints io.Writer) int {
	o, err := parse(args, scenarios(), complaints)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	err = run(ctx, o, out)
	switch {
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(complaints, "stopped")
		return 1
	case err != nil:
		_, _ = fmt.Fprintln(complaints, "faults:", err)
		return 1
	}
	return 0
}

func parse(args []string, all []scenario, complaints io.Writer) (options, error) {
	o := options{run: all}
	var names string
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&names, "run", "", "run only the scenarios of these `names`, separated by commas")
	flags.BoolVar(&o.short, "short", false, "smaller counts: the form that CI runs, five minutes at most")
	flags.BoolVar(&o.keep, "keep", false, "leave the logs of all processes where they are, and say where")
	flags.StringVar(&o.caddy, "caddy", "", "the `path` of Caddy; otherwise the one in .bin, or else the one on the PATH")
	flags.Usage = func() {
		_, _ = fmt.Fprintf(complaints, "Breaks things and counts what clients notice: go run ./devstack/faults [flags]\n\nScenarios:\n")
		for _, s := range all {
			_, _ = fmt.Fprintf(complaints, "  %-16s %-5s %s\n", s.name, s.goal, s.about)
		}
		_, _ = fmt.Fprint(complaints, "\nFlags:\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	err := choose(&o, all, names)
	if flags.NArg() > 0 {
		err = fmt.Errorf("%q is no argument that faults takes", flags.Arg(0))
	}
	if err != nil {
		_, _ = fmt.Fprintln(complaints, "faults:", err)
	}
	return o, err
}

// choose keeps the scenarios of those names, in the order of the list; all of them when there are no names.
func choose(o *options, all []scenario, names string) error {
	if names == "" {
		return nil
	}
	asked := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		asked[name] = true
	}
	o.run = nil
	for _, s := range all {
		if asked[s.name] {
			o.run = append(o.run, s)
			delete(asked, s.name)
		}
	}
	for name := range asked {
		return fmt.Errorf("there is no scenario %q; --help lists them", name)
	}
	return nil
}
