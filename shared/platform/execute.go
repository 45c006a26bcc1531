package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit statuses of Main.
const (
	exitFailed = 1
	exitUsage  = 2
)

// misuseError is an environment or an argument that a command cannot run with.
type misuseError struct{ error }

// Misuse marks the error of a command as one of what it was given, for which Main ends with status 2.
func Misuse(err error) error { return misuseError{err} }

// runError is an error of a command that did run; any other is one of its arguments.
type runError struct{ error }

// execute runs the command that the arguments name, and returns the exit status.
func execute(ctx context.Context, root *cobra.Command, args []string, stderr io.Writer) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	markErrors(root)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	ran, isRun := errors.AsType[runError](err)
	if !isRun {
		_, _ = fmt.Fprintf(stderr, "%s: %v; see %s --help\n", root.Name(), err, command.CommandPath())
		return exitUsage
	}
	_, _ = fmt.Fprintln(stderr, ran.error)
	if _, ok := errors.AsType[misuseError](ran.error); ok {
		return exitUsage
	}
	return exitFailed
}

// markErrors tells errors of a command's work from those of its arguments, which come from the library.
func markErrors(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			if err := run(c, args); err != nil {
				return runError{err}
			}
			return nil
		}
	}
	for _, below := range c.Commands() {
		markErrors(below)
	}
}

// listCommands adds what else a binary does to its help.
func listCommands(w io.Writer, c *cobra.Command) {
	var text strings.Builder
	for _, command := range c.Commands() {
		if command.IsAvailableCommand() {
			fmt.Fprintf(&text, "  %-12s  %s\n", command.Name(), command.Short)
		}
	}
	if text.Len() > 0 {
		_, _ = fmt.Fprintf(w, "\nWith an argument it does something else; %s COMMAND --help says more:\n\n%s", c.CommandPath(), &text)
	}
}
