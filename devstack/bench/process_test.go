package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// This binary is also the child of its tests.
func TestMain(m *testing.M) {
	switch os.Getenv("BENCH_CHILD") {
	case "listen":
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		fmt.Println("not JSON")
		fmt.Printf("{\"msg\":\"serving\",\"addr\":%q,\"adminAddr\":\"127.0.0.1:1\"}\n", listener.Addr())
		for { // until it is stopped
			_, _ = listener.Accept()
		}
	case "fail":
		fmt.Fprintln(os.Stderr, "ISSUER: is not set")
		os.Exit(2)
	default:
		goleak.VerifyTestMain(m)
	}
}

func child(t *testing.T, how string) program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return program{name: "child", dir: t.TempDir(), path: self, env: []string{"BENCH_CHILD=" + how}}
}

func TestAProcessSaysWhereItListensAndIsGoneWhenStopped(t *testing.T) {
	t.Parallel()
	p, err := start(t.Context(), child(t, "listen"))
	if err != nil {
		t.Fatal(err)
	}
	if p.at.AdminAddr != "127.0.0.1:1" || !p.listens(t.Context()) {
		t.Errorf("listens at %+v", p.at)
	}
	if err := p.emptyLog(); err != nil {
		t.Error(err)
	}
	p.stop()
	if p.listens(t.Context()) {
		t.Error("it listens after it was stopped")
	}
	if _, err := cpuTime(p.pid); err == nil {
		t.Error("it is still there")
	}
}

func TestAProcessEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := start(ctx, child(t, "listen"))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-p.exited
	p.stop()
}

func TestAProcessThatDoesNotStartSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := start(t.Context(), child(t, "fail"))
	if err == nil || !strings.Contains(err.Error(), "start child: it ended at once\nits process has ended\nchild.err: ISSUER: is not set") {
		t.Errorf("error %v", err)
	}
	if _, err := start(t.Context(), program{name: "child", dir: t.TempDir(), path: "/nowhere"}); err == nil {
		t.Error("what is not there was started")
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{name: "help", args: []string{"--help"}, status: 0, says: "-rounds"},
		{name: "an unknown flag", args: []string{"-sideways"}, status: 2, says: "not defined: -sideways"},
		{name: "an argument", args: []string{"fast"}, status: 2, says: `"fast" is no argument`},
		{name: "nothing to do", args: []string{"-rounds", "0"}, status: 2, says: "at least 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, say bytes.Buffer
			if status := command(t.Context(), tt.args, &out, &say); status != tt.status || !strings.Contains(say.String(), tt.says) || out.Len() > 0 {
				t.Errorf("status %d, says %q and %q; want %d, %q", status, &say, &out, tt.status, tt.says)
			}
		})
	}
}
