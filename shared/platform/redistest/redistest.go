//go:build unix

// Package redistest starts a real Redis for a test, and takes it away in the ways that production does.
package redistest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startWithin bounds how long a Redis may take to start, and to answer again after Thaw.
const startWithin = 10 * time.Second

// Server is a Redis process of one test, which it does not outlive. Its methods belong to the goroutine
// of the test, and fail the test when they cannot do what they say.
type Server struct {
	tb   testing.TB
	args []string
	port string
	dir  string

	process *os.Process
	exited  chan struct{}
}

// Start starts the redis-server on the PATH on a free port of 127.0.0.1, without persistence, and returns
// when it takes connections. The args come first on its command line, so that a test can have a cluster
// ("--cluster-enabled", "yes") or a sentinel ("<file>", "--sentinel"). Without a redis-server the test is
// skipped, but fails where CI=true.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("there is no redis-server on the PATH, and CI must not skip")
		}
		tb.Skip("there is no redis-server on the PATH")
	}
	s := &Server{tb: tb, args: args, dir: tb.TempDir()}
	tb.Cleanup(s.Stop)
	for range 5 { // somebody else may take a free port before Redis does
		s.port = freePort(tb)
		output, ready := s.run()
		if ready {
			return s
		}
		if !strings.Contains(output, "in use") {
			tb.Fatalf("redis-server did not start:\n%s", output)
		}
	}
	tb.Fatal("redis-server found no free port")
	return nil
}

// Addr is host:port of the Redis.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", s.port) }

// URL is what REDIS_URL holds for the Redis.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Stop ends the Redis with all it holds; its port refuses connections then. Stopping it again does nothing.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Kill() // works on a frozen process too
	<-s.exited
	s.process = nil
}

// Restart starts a stopped Redis, empty, on the port that it had.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	if output, ready := s.run(); !ready {
		s.tb.Fatalf("redis-server did not start again:\n%s", output)
	}
}

// Freeze stops the Redis where it is: it keeps its connections and takes new ones, but answers nobody. It
// returns when that is so.
func (s *Server) Freeze() {
	s.tb.Helper()
	s.signal(syscall.SIGSTOP)
	for s.answers(50 * time.Millisecond) {
	}
}

// Thaw lets a frozen Redis go on, and returns when it answers.
func (s *Server) Thaw() {
	s.tb.Helper()
	s.signal(syscall.SIGCONT)
	if !s.answers(startWithin) {
		s.tb.Fatal("redis-server does not answer after SIGCONT")
	}
}

func (s *Server) signal(signal syscall.Signal) {
	s.tb.Helper()
	if s.process == nil {
		s.tb.Fatalf("%v for a Redis that does not run", signal)
	}
	if err := s.process.Signal(signal); err != nil {
		s.tb.Fatalf("%v: %v", signal, err)
	}
}

// answers reports whether a PING is answered within d.
func (s *Server) answers(d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(d))
	if _, err := fmt.Fprint(conn, "PING\r\n"); err != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "+PONG")
}

// run starts the process and returns what it said until it took connections, or until it gave up.
func (s *Server) run() (output string, ready bool) {
	s.tb.Helper()
	args := slices.Concat(s.args, []string{"--bind", "127.0.0.1", "--port", s.port, "--dir", s.dir, "--save", ""})
	said := &said{ready: make(chan struct{})}
	cmd := exec.CommandContext(context.Background(), "redis-server", args...) //nolint:gosec // the arguments are those of a test
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		return err.Error(), false
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // killed, usually
	}()
	s.process, s.exited = cmd.Process, exited

	late := time.NewTimer(startWithin)
	defer late.Stop()
	select {
	case <-said.ready:
		return said.text(), true
	case <-exited:
		s.process = nil
		return said.text(), false
	case <-late.C:
		s.Stop()
		return said.text() + "\nand then nothing", false
	}
}

// said is the log of a Redis, and notices the line that says it is up.
type said struct {
	ready chan struct{}

	mu   sync.Mutex
	log  strings.Builder
	once sync.Once
}

// Write takes a piece of the log.
func (s *said) Write(piece []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Write(piece)
	for _, up := range []string{"Ready to accept connections", "+monitor master"} {
		if strings.Contains(s.log.String(), up) {
			s.once.Do(func() { close(s.ready) })
		}
	}
	return len(piece), nil
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func freePort(tb testing.TB) string {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}
