// Command mockservices serves the stand-ins for a company's services: all of them, or those named on the command line.
// With healthcheck before the names it asks whether they are there.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"bff.internal/mockservices/serving"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2 // the command line or the environment makes no sense
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	adoptLogs(slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with everything that it touches, and returns the exit code. Logs and complaints go to errout.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), out, errout io.Writer) int {
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
		// Whoever closed the other end needs no help.
		_, _ = fmt.Fprint(out, help())
		return 0
	}
	asking := len(args) > 0 && args[0] == healthcheckName
	if asking {
		args = args[1:]
	}
	chosen, err := choose(args)
	if err != nil {
		return complain(errout, exitUsage, err)
	}
	cfg, err := readConfig(lookup)
	if err != nil {
		return complain(errout, exitUsage, err)
	}
	if asking {
		if err := healthcheck(ctx, chosen, cfg); err != nil {
			return complain(errout, exitFailed, err)
		}
		return 0
	}
	services, err := build(chosen, cfg)
	if err != nil {
		return complain(errout, exitUsage, err)
	}
	log := slog.New(slog.NewJSONHandler(errout, &slog.HandlerOptions{Level: cfg.logLevel}))
	if err := serving.Run(ctx, log, services); err != nil {
		return complain(errout, exitFailed, err)
	}
	return 0
}

func complain(errout io.Writer, code int, err error) int {
	// The exit code says it as well.
	_, _ = fmt.Fprintln(errout, "mockservices:", err)
	return code
}
