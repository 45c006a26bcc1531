package platform_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9/logging"
	"go.opentelemetry.io/otel"
	"go.uber.org/goleak"

	"bff.internal/shared/platform"
)

// asService makes the test binary a service, so that tests can look at a whole process.
const asService = "PLATFORM_TEST_AS_SERVICE"

func TestMain(m *testing.M) {
	if os.Getenv(asService) != "" {
		service()
	}
	flag.Bool("update", false, "write the golden files anew")
	logging.Disable() // as Main does it; go-redis would write to stderr
	goleak.VerifyTestMain(m,
		// A pool of go-redis that could not dial looks once a second whether it was closed.
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

func service() {
	var cfg struct{ Platform platform.Config }
	var other struct {
		Other string `env:"OTHER,required" help:"what the other command needs"`
	}
	cfg.Platform.Addr, cfg.Platform.AdminAddr = "127.0.0.1:0", "127.0.0.1:0"
	platform.Main("bff-test", &cfg, func(ctx context.Context) error {
		p, err := platform.Open(ctx, cfg.Platform, "bff-test", os.Stdout)
		if err != nil {
			return err
		}
		defer p.Close()
		log.Print(`Unsolicited response received on idle HTTP channel starting with "hunter2"; err=<nil>`) // as net/http does
		otel.Handle(errors.New("no collector"))
		return p.Serve(ctx, http.NotFoundHandler())
	}, platform.Command("other", "do something else", &other, func(context.Context) error {
		fmt.Println("other:", other.Other)
		return nil
	}))
}

func TestAProcessThatCannotStartSaysWhyAndNothingElse(t *testing.T) {
	t.Parallel()
	busy, nobody := newListener(t), "127.0.0.1:1"
	tests := []struct {
		name    string
		args    []string
		environ []string
		status  int
		stderr  string
	}{
		{
			name: "a flag is refused with a hint", args: []string{"--port", "80"}, status: 2,
			stderr: "bff-test: unknown flag: --port; see bff-test --help\n",
		},
		{
			name: "so is an argument", args: []string{"serve"}, status: 2,
			stderr: "bff-test: unknown command \"serve\" for \"bff-test\"; see bff-test --help\n",
		},
		{
			name: "so is an argument of a command", args: []string{"healthcheck", "please"}, status: 2,
			stderr: "bff-test: unknown command \"please\" for \"bff-test healthcheck\"; see bff-test healthcheck --help\n",
		},
		{
			name: "a command's environment is judged too", args: []string{"other"}, status: 2,
			stderr: "OTHER: is not set; wants what the other command needs\n",
		},
		{
			name: "a service that does not run is not healthy", args: []string{"healthcheck"}, environ: []string{"ADMIN_ADDR=" + nobody}, status: 1,
			stderr: "http://" + nobody + "/readyz does not answer: dial tcp " + nobody + ": connect: connection refused\n",
		},
		{
			name: "no proxy is asked about it", args: []string{"healthcheck"},
			environ: []string{"ADMIN_ADDR=" + nobody, "HTTP_PROXY=http://" + busy, "http_proxy=http://" + busy}, status: 1,
			stderr: "http://" + nobody + "/readyz does not answer: dial tcp " + nobody + ": connect: connection refused\n",
		},
		{
			name: "nor is one without an address", args: []string{"healthcheck"}, environ: []string{"ADMIN_ADDR=here"}, status: 2,
			stderr: "ADMIN_ADDR: \"here\" is no address to listen on; wants host:port, such as 127.0.0.1:8080 or :8080\n",
		},
		{
			name:    "each wrong variable has a line",
			environ: []string{"DRAIN_DELAY=soon", "OTEL_TRACES_SAMPLER_ARG=2", "REDIS_URL=redis://:hunter2@here"}, status: 2,
			stderr: "DRAIN_DELAY: \"soon\" is no duration; wants how long to go on serving after a stop signal, while /readyz already says 503 and balancers look elsewhere\n" +
				"OTEL_TRACES_SAMPLER_ARG: 2 is no share; wants a number from 0 to 1\n" +
				"REDIS_URL: has an address that is not host:port; wants redis://[user:password@]host:port[/db] or one of the forms that --help shows\n",
		},
		{
			name:    "a busy port names its variable",
			environ: []string{"ADDR=" + busy, "REDIS_URL=" + noRedis}, status: 1,
			stderr: "ADDR: cannot listen on " + busy + ": address already in use; set ADDR to another address\n",
		},
		{
			name:    "so does a busy admin port",
			environ: []string{"ADMIN_ADDR=" + busy, "REDIS_URL=" + noRedis}, status: 1,
			stderr: "ADMIN_ADDR: cannot listen on " + busy + ": address already in use; set ADMIN_ADDR to another address\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cmd := process(t, test.args, test.environ)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err := cmd.Run()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.ExitCode() != test.status {
				t.Errorf("ended with %v, want status %d", err, test.status)
			}
			if diff := cmp.Diff(test.stderr, stderr.String()); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHelpNeedsNoEnvironment(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{"--help", "-h"} {
		output, err := process(t, []string{arg}, nil).Output()
		if err != nil || !strings.Contains(string(output), "REDIS_URL") {
			t.Errorf("%s: %v, and %q; want the variables", arg, err, output)
		}
	}
}

func TestHelpNamesTheCommandsAndEachHasItsOwn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		args  []string
		wants string
	}{
		{"the service's", []string{"--help"}, "  healthcheck   ask the service"},
		{"of a command with variables", []string{"other", "--help"}, "OTHER  what the other command needs (required)"},
		{"of a command without", []string{"healthcheck", "--help"}, "bff-test healthcheck"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			output, err := process(t, tt.args, nil).Output()
			if err != nil || !strings.Contains(string(output), tt.wants) || strings.Contains(string(output), "REDIS_URL") != (len(tt.args) == 1) {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
}

func TestACommandRunsWithItsOwnEnvironment(t *testing.T) {
	t.Parallel()
	output, err := process(t, []string{"other"}, []string{"OTHER=this"}).Output()
	if err != nil || string(output) != "other: this\n" {
		t.Errorf("%v: %q", err, output)
	}
}

func TestAServiceIsHealthyUntilItDrains(t *testing.T) {
	t.Parallel()
	cmd := process(t, nil, []string{"REDIS_URL=" + noRedis, "DRAIN_DELAY=1h"})
	log := startProcess(t, cmd)
	var serving struct{ AdminAddr string }
	if err := json.Unmarshal(waitForLine(t, log, "serving"), &serving); err != nil {
		t.Fatal(err)
	}
	check := func() ([]byte, error) {
		return process(t, []string{"healthcheck"}, []string{"ADMIN_ADDR=" + serving.AdminAddr}).CombinedOutput()
	}
	if output, err := check(); err != nil || len(output) > 0 {
		t.Errorf("serving: %v, %s", err, output)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitForLine(t, log, "draining")
	output, err := check()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 || !strings.Contains(string(output), "says 503 Service Unavailable") {
		t.Errorf("draining: %v, %s", err, output)
	}
	_ = cmd.Process.Kill()
	_, _ = io.Copy(io.Discard, log)
	_ = cmd.Wait()
}

func TestAProcessStopsCleanlyOnASignal(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		cmd := process(t, nil, []string{"REDIS_URL=" + noRedis, "DRAIN_DELAY=1ms"})
		log := startProcess(t, cmd)
		waitForLine(t, log, "serving")
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		waitForLine(t, log, "stopped")
		_, _ = io.Copy(io.Discard, log)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v, want a clean end", signal, err)
		}
	}
}

func TestWhatLibrariesSayIsInTheLogAndWithoutWhatServicesSent(t *testing.T) {
	t.Parallel()
	cmd := process(t, nil, []string{"REDIS_URL=" + noRedis, "DRAIN_DELAY=1ms", "LOG_LEVEL=DEBUG"})
	var stdout, stderr bytes.Buffer
	cmd.Stderr = &stderr
	log := startProcess(t, cmd)
	logged := bufio.NewReader(io.TeeReader(log, &stdout))
	for _, message := range []string{"library", "traces", "serving"} {
		waitForLine(t, logged, message)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, logged)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(stdout.String(), "Unsolicited response") || strings.Contains(stdout.String(), "hunter2") {
		t.Errorf("log: %s", &stdout)
	}
	if stderr.Len() != 0 {
		t.Errorf("stderr: %s", &stderr)
	}
}

func TestASecondSignalEndsTheDrain(t *testing.T) {
	t.Parallel()
	cmd := process(t, nil, []string{"REDIS_URL=" + noRedis, "DRAIN_DELAY=1h", "LOG_LEVEL=DEBUG"})
	log := startProcess(t, cmd)
	waitForLine(t, log, "redis client") // go-redis on the connection that it did not get
	waitForLine(t, log, "serving")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitForLine(t, log, "draining")

	ended := make(chan error, 1)
	go func() {
		_, _ = io.Copy(io.Discard, log)
		ended <- cmd.Wait()
	}()
	again := time.NewTicker(50 * time.Millisecond) // the first may come before the process has let go of signals
	defer again.Stop()
	for {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			exit, ok := errors.AsType[*exec.ExitError](err)
			if status, _ := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
				t.Errorf("ended with %v, want the signal", err)
			}
			return
		case <-again.C:
		case <-t.Context().Done():
			t.Fatal("it did not end")
		}
	}
}

// process returns the test binary as a service with nothing else in its environment.
func process(t *testing.T, args, environ []string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = slices.Concat(environ, []string{asService + "=1"})
	return cmd
}

func startProcess(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	log, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(log)
}

// waitForLine reads the log up to the line with the message. Whatever is in it is JSON with the service's
// name, the lines of go-redis included.
func waitForLine(t *testing.T, log *bufio.Reader, message string) []byte {
	t.Helper()
	for {
		line, err := log.ReadBytes('\n')
		if err != nil {
			t.Fatalf("the log ended without %q: %v", message, err)
		}
		var entry struct{ Service, Msg string }
		if err := json.Unmarshal(line, &entry); err != nil || entry.Service != "bff-test" {
			t.Fatalf("a line of the log that is not ours: %s", line)
		}
		if entry.Msg == message {
			return line
		}
	}
}
