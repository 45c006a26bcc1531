package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// errNoEngine is that no Docker engine answers and none can be started.
var errNoEngine = errors.New("no Docker engine")

// imagesNoEngine is the exit status of .ci/images that says so.
const imagesNoEngine = 75

// images makes ready what docker compose wants, and says how it gets on.
func images(ctx context.Context, out io.Writer) error {
	cmd := exec.CommandContext(ctx, ".ci/images")
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == imagesNoEngine {
		return errNoEngine
	}
	if err != nil {
		return fmt.Errorf(".ci/images: %w", err)
	}
	return nil
}

// project is what docker compose has started under a name.
type project struct {
	name string
	env  []string // beyond that of this process
}

// compose runs docker compose and returns what it says on stdout.
func (p project) compose(ctx context.Context, args ...string) (string, error) {
	// A developer's .env would have something else tried than what is in the repository.
	return p.docker(ctx, append([]string{"compose", "--env-file", os.DevNull, "--ansi", "never", "--project-name", p.name}, args...)...)
}

// docker runs docker likewise.
func (p project) docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...) //nolint:gosec // the arguments are those of this package
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s", strings.Join(args, " "), err, lastLines(stderr.String()+stdout.String(), 30))
	}
	return stdout.String(), nil
}

// ids are those of the containers of a service, or of all that run.
func (p project) ids(ctx context.Context, service ...string) ([]string, error) {
	ids, err := p.compose(ctx, append([]string{"ps", "--quiet"}, service...)...)
	return strings.Fields(ids), err
}

// lastWords is what is known about the containers when something has failed: the logs of those that are not well, or the
// end of every log when all of them are.
func (p project) lastWords(ctx context.Context) string {
	states, err := p.compose(ctx, "ps", "--all", "--format", `table {{.Name}}\t{{.Status}}`)
	if err != nil {
		return err.Error()
	}
	args := []string{"logs", "--no-color", "--tail", "10"}
	if ill, err := p.compose(ctx, "ps", "--all", "--format", `{{.Service}} {{.State}} {{.Health}}`); err == nil {
		for line := range strings.Lines(ill) {
			if fields := strings.Fields(line); len(fields) > 0 && strings.TrimSpace(line) != fields[0]+" running healthy" {
				args = append(args, fields[0])
				args[3] = "50"
			}
		}
	}
	logs, err := p.compose(ctx, args...)
	if err != nil {
		logs = err.Error()
	}
	return states + logs
}

// lastLines is the end of a text.
func lastLines(text string, most int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
