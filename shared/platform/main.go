package platform

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"syscall"
)

// Main is what the main function of a binary calls: it loads cfg, a pointer to a struct as Load takes it,
// from the process's environment, calls run, and ends the process. The context of run ends with the first
// SIGINT or SIGTERM; a second one ends the process at once.
//
// The exit status is 0 after --help and when run returns nil, 1 when run returns an error, and 2 when the
// arguments or the environment are wrong. What is wrong goes to stderr, a line each, and nothing else does.
func Main(service string, cfg any, run func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// Once nobody waits for signals any more, a second one does what it does by default.
	context.AfterFunc(ctx, stop)
	os.Exit(command{service: service, cfg: cfg, run: run}.main(ctx))
}

// command is Main without what would end the process of a test.
type command struct {
	service string
	cfg     any
	run     func(ctx context.Context) error
}

func (c command) main(ctx context.Context) (status int) {
	for _, arg := range os.Args[1:] {
		if arg == "--help" || arg == "-h" {
			Usage(os.Stdout, c.service, c.cfg)
			return 0
		}
	}
	if len(os.Args) > 1 {
		return complain(2, fmt.Errorf("%s: %q is no argument that it takes; see %s --help", c.service, os.Args[1], c.service))
	}
	if err := Load(c.cfg, os.Environ()); err != nil {
		return complain(2, err)
	}
	adoptLogs(c.log(os.Stdout))
	if err := c.run(ctx); err != nil {
		return complain(1, err)
	}
	return 0
}

func complain(status int, err error) int {
	_, _ = fmt.Fprintln(os.Stderr, err)
	return status
}

// log is like the log of the platform that run will open, LOG_LEVEL included.
func (c command) log(w io.Writer) *slog.Logger {
	var options slog.HandlerOptions
	variables, _ := survey(c.cfg)
	for _, v := range variables {
		if level, ok := reflect.TypeAssert[slog.Level](v.field); ok {
			options.Level = level
		}
	}
	return slog.New(slog.NewJSONHandler(w, &options)).With("service", c.service)
}
