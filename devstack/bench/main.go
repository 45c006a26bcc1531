// Command bench measures what GET /mobile/dashboard costs beside a bare net/http + errgroup aggregator that does the
// same work and nothing else: CPU time of the aggregator's process per request, both in turn in one run. It reports,
// and judges nothing; --help shows its flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// options is what the flags say.
type options struct {
	rounds      int
	requests    int // of one aggregator in one round
	connections int
	profile     string // the file for a profile of bff-mobile, or empty
}

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn) // the OpenID library announces its routes
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once nobody waits for signals any more, a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command returns the exit status: 0, 1 when there is no table, 2 when the arguments are wrong. The table goes to out,
// progress and errors to say.
func command(ctx context.Context, args []string, out, say io.Writer) int {
	o, err := parse(args, say)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	report, err := run(ctx, o, say)
	switch {
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(say, "stopped")
		return 1
	case err != nil:
		_, _ = fmt.Fprintln(say, "bench:", err)
		return 1
	}
	_, _ = fmt.Fprint(out, report)
	return 0
}

func parse(args []string, say io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(say)
	flags.IntVar(&o.rounds, "rounds", 9, "how often each aggregator has its turn; the table says the median")
	flags.IntVar(&o.requests, "requests", 12_000, "requests of one aggregator in one round")
	flags.IntVar(&o.connections, "connections", 32, "client connections; each sends its next request when it has the answer to its last")
	flags.StringVar(&o.profile, "profile", "", "also write a CPU profile of bff-mobile to this `file`, taken in a round of its own")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	switch {
	case flags.NArg() > 0:
		err = fmt.Errorf("%q is no argument that bench takes", flags.Arg(0))
	case o.rounds < 1 || o.requests < 1 || o.connections < 1:
		err = errors.New("rounds, requests and connections are at least 1")
	}
	if err != nil {
		_, _ = fmt.Fprintln(say, "bench:", err)
	}
	return o, err
}
