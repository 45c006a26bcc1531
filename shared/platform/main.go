package platform

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"
)

// Main is what the main function of a binary calls. Without arguments it loads cfg, a pointer to a struct as Load
// takes it, from the process's environment, calls run, and ends the process. The context of run ends with the first
// SIGINT or SIGTERM; a second one ends the process at once.
//
// The first argument may name a command instead: one of more, or, where cfg has an ADMIN_ADDR, healthcheck, which says
// by its exit status whether the service of this environment is ready.
//
// The exit status is 0 after --help and when run returns nil, 1 when run returns an error, and 2 when the
// arguments or the environment are wrong. What is wrong goes to stderr, a line each, and nothing else does.
func Main(service string, cfg any, run func(ctx context.Context) error, more ...*cobra.Command) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// Once nobody waits for signals any more, a second one does what it does by default.
	context.AfterFunc(ctx, stop)
	logging.Disable() // go-redis writes to stderr until it is given a log
	root := Command(service, "", cfg, run)
	if admin, ok := adminVariable(cfg); ok {
		root.AddCommand(healthcheck(admin))
	}
	root.AddCommand(more...)
	os.Exit(execute(ctx, root, os.Args[1:], os.Stderr))
}

// Command returns a command that loads cfg from the process's environment and calls run, as Main does without
// arguments; its --help lists the variables. Libraries log to stdout then, where run is expected to log too.
func Command(name, summary string, cfg any, run func(ctx context.Context) error) *cobra.Command {
	command := &cobra.Command{
		Use:   name,
		Short: summary,
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := Environment(cfg); err != nil {
				return err
			}
			adoptLogs(newLog(c.Root().Name(), cfg))
			return run(c.Context())
		},
	}
	command.SetHelpFunc(func(c *cobra.Command, args []string) {
		if c != command { // commands below inherit this function
			new(cobra.Command).HelpFunc()(c, args)
			return
		}
		Usage(c.OutOrStdout(), c.CommandPath(), cfg)
		listCommands(c.OutOrStdout(), c)
	})
	return command
}

// Environment loads cfg from the process's environment. A command that returns its error ends with status 2.
func Environment(cfg any) error {
	if err := Load(cfg, os.Environ()); err != nil {
		return misuseError{err}
	}
	return nil
}

// newLog is like the log of the platform that run will open, LOG_LEVEL included.
func newLog(service string, cfg any) *slog.Logger {
	var options slog.HandlerOptions
	variables, _ := survey(cfg)
	for _, v := range variables {
		if level, ok := reflect.TypeAssert[slog.Level](v.field); ok {
			options.Level = level
		}
	}
	return slog.New(slog.NewJSONHandler(os.Stdout, &options)).With("service", service)
}
