package process_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"bff.internal/devstack/process"
)

// This binary is also the child of its tests.
func TestMain(m *testing.M) {
	switch os.Getenv("PROCESS_CHILD") {
	case "listen":
		serve(`{"msg":"serving","addr":%q,"adminAddr":"127.0.0.1:1"}`)
	case "listen at a URL":
		serve(`{"msg":"listening","url":"http://%s"}`)
	case "listen, then end well":
		told := make(chan os.Signal, 1)
		signal.Notify(told, syscall.SIGTERM)
		go serve(`{"addr":%q}`)
		<-told
		os.Exit(0)
	case "fail":
		fmt.Fprintln(os.Stderr, "ISSUER: is not set")
		os.Exit(2)
	default:
		goleak.VerifyTestMain(m)
	}
}

// serve announces where it listens, and goes on until it is stopped.
func serve(announcement string) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("not JSON")
	fmt.Printf(announcement+"\n", listener.Addr())
	for {
		_, _ = listener.Accept()
	}
}

func child(t *testing.T, how string) process.Program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return process.Program{Name: "child", Dir: t.TempDir(), Path: self, Env: []string{"PROCESS_CHILD=" + how}}
}

func start(t *testing.T, p process.Program) *process.Process {
	t.Helper()
	started, err := process.Start(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(started.Stop)
	return started
}

func refuses(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

func TestAProcessSaysWhereItListensAndIsGoneWhenStopped(t *testing.T) {
	t.Parallel()
	for how, adminAddr := range map[string]string{"listen": "127.0.0.1:1", "listen at a URL": ""} {
		p := start(t, child(t, how))
		if p.AdminAddr != adminAddr || refuses(p.Addr) {
			t.Errorf("%s: at %q and %q", how, p.Addr, p.AdminAddr)
		}
		if err := p.EmptyLog(); err != nil {
			t.Error(err)
		}
		p.Stop()
		if !refuses(p.Addr) {
			t.Errorf("%s: it listens after it was stopped", how)
		}
		if err := syscall.Kill(p.PID, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s: it is still there: %v", how, err)
		}
		if err := p.Signal(syscall.SIGTERM); err == nil {
			t.Errorf("%s: it takes signals after its end", how)
		}
	}
}

func TestTheExitStatusOfAProcessTellsHowItEnded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, how string
		end       func(p *process.Process) error
		status    int
	}{
		{name: "told to end, it ended well", how: "listen, then end well", end: func(p *process.Process) error { return p.Signal(syscall.SIGTERM) }, status: 0},
		{name: "told to end, it did not know how", how: "listen", end: func(p *process.Process) error { return p.Signal(syscall.SIGTERM) }, status: -1},
		{name: "killed", how: "listen, then end well", end: func(p *process.Process) error { p.Kill(); return nil }, status: -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, child(t, tt.how))
			if err := tt.end(p); err != nil {
				t.Fatal(err)
			}
			if status := p.ExitCode(); status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
		})
	}
}

func TestAProcessEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := process.Start(ctx, child(t, "listen"))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-p.Exited()
	p.Stop()
}

func TestAProcessThatDoesNotStartSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := process.Start(t.Context(), child(t, "fail"))
	if err == nil || !strings.Contains(err.Error(), "start child: it ended at once\nits process has ended\nchild.err: ISSUER: is not set") {
		t.Errorf("error %v", err)
	}
	if _, err := process.Start(t.Context(), process.Program{Name: "child", Dir: t.TempDir(), Path: "/nowhere"}); err == nil {
		t.Error("what is not there was started")
	}
}

func TestWhoeverListensAlreadyIsNotTakenForTheProcess(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	program := child(t, "listen")
	program.Addr = listener.Addr().String()
	if p, err := process.Start(t.Context(), program); err == nil || !strings.Contains(err.Error(), "somebody listens at "+program.Addr) {
		t.Errorf("started %v, error %v", p, err)
	}
}

func TestAFreeAddressIsFreeOnEveryHost(t *testing.T) {
	t.Parallel()
	addrs, err := process.FreeAddr(t.Context(), "127.0.0.1", "127.0.0.1:0")
	if err == nil {
		t.Errorf("a host that is none: %v", addrs)
	}
	addrs, err = process.FreeAddr(t.Context(), "127.0.0.1")
	if err != nil || len(addrs) != 1 || !refuses(addrs[0]) {
		t.Fatalf("%v, %v", addrs, err)
	}
	_, port, _ := net.SplitHostPort(addrs[0])
	if number, err := strconv.Atoi(port); err != nil || number >= 32768 {
		t.Errorf("%s is one of the ports that the system gives to anybody", port)
	}
}
