// Package process builds binaries of this repository and runs binaries as children that do not outlive this process.
package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	startsWithin = 15 * time.Second
	stopsWithin  = 3 * time.Second
)

// Program is how to start a process.
type Program struct {
	// Name is that of the process's files in Dir, which is also where it runs. Of programs with the same name the later
	// ones append to the files.
	Name, Dir string
	Path      string
	Args      []string
	// Env is all of the environment: nothing is inherited.
	Env []string
	// Addr is where the process will listen; "" when a line of its log says so.
	Addr string
}

// Process is a child that listens. It ends with the context that it was started under, and with this process, however
// that ends. Its methods may be used concurrently.
type Process struct {
	Name string
	PID  int
	// Addr is host:port where it listens, and AdminAddr that of its admin listener, if its log says so.
	Addr, AdminAddr string

	log, complaints string // files
	process         *os.Process
	stopNow         context.CancelFunc
	exited          chan struct{}
	state           *os.ProcessState // to be read once it has exited
}

// Start returns when the process listens. The caller stops it.
func Start(ctx context.Context, p Program) (*Process, error) {
	ctx, stop := context.WithCancel(ctx)
	child := &Process{
		Name:       p.Name,
		Addr:       p.Addr,
		log:        filepath.Join(p.Dir, p.Name+".log"),
		complaints: filepath.Join(p.Dir, p.Name+".err"),
		stopNow:    stop,
		exited:     make(chan struct{}),
	}
	if child.listens(ctx) { // it would be taken for the child
		stop()
		return nil, fmt.Errorf("start %s: somebody listens at %s already", p.Name, p.Addr)
	}
	if err := child.launch(ctx, p); err != nil {
		stop()
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	if err := child.ready(ctx); err != nil {
		err = fmt.Errorf("start %s: %w%s", p.Name, err, child.LastWords())
		child.Stop()
		return nil, err
	}
	return child, nil
}

func (p *Process) launch(ctx context.Context, program Program) error {
	cmd := exec.CommandContext(ctx, program.Path, program.Args...) //nolint:gosec // callers run what they built or were told to
	cmd.Dir = program.Dir
	cmd.Env = append([]string{}, program.Env...) // nil would inherit
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopsWithin
	cmd.SysProcAttr = attributes()
	stdout, err := appendTo(p.log)
	if err != nil {
		return err
	}
	stderr, err := appendTo(p.complaints)
	if err != nil {
		return errors.Join(err, stdout.Close())
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Start()
	// The child has them now, if there is one.
	if err = errors.Join(err, stdout.Close(), stderr.Close()); err != nil {
		return err
	}
	p.process, p.PID = cmd.Process, cmd.Process.Pid
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // who waits for the end asks ExitCode or LastWords for the reason
		p.state = cmd.ProcessState
	}()
	return nil
}

// appendTo opens a file so that it can be emptied while a process writes to it.
func appendTo(file string) (*os.File, error) {
	return os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in a directory of ours
}

// ready waits until the process listens.
func (p *Process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startsWithin, errors.New("it does not listen"))
	defer cancel()
	for !p.listens(ctx) {
		if p.Addr == "" {
			p.Addr, p.AdminAddr = announced(p.log, p.complaints)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-p.exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (p *Process) listens(ctx context.Context) bool {
	if p.Addr == "" {
		return false
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.Addr)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// announced finds the addresses in logs of JSON lines: a BFF's are "addr" and "adminAddr", that of a stand-in is "url".
func announced(files ...string) (addr, adminAddr string) {
	for _, file := range files {
		content, _ := os.ReadFile(file) //nolint:gosec // a file of ours
		for line := range bytes.Lines(content) {
			var at struct {
				Addr      string `json:"addr"`
				AdminAddr string `json:"adminAddr"`
				URL       string `json:"url"`
			}
			if json.Unmarshal(line, &at) != nil {
				continue
			}
			if at.Addr == "" {
				at.Addr, _ = strings.CutPrefix(at.URL, "http://")
			}
			if at.Addr != "" {
				return at.Addr, at.AdminAddr
			}
		}
	}
	return "", ""
}

// Signal sends a signal; the error says that the process has ended already.
func (p *Process) Signal(s os.Signal) error {
	if err := p.process.Signal(s); err != nil {
		return fmt.Errorf("%v for %s: %w", s, p.Name, err)
	}
	return nil
}

// Stop asks the process to end, kills it when it takes longer than 3 s, and returns when it has ended.
func (p *Process) Stop() {
	p.stopNow()
	<-p.exited
}

// Kill ends the process at once, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.process.Kill() // or it has ended already
	p.Stop()
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// ExitCode waits for the end of the process and returns its exit status, which is -1 when a signal ended it.
func (p *Process) ExitCode() int {
	<-p.exited
	return p.state.ExitCode()
}

// EmptyLog forgets the log so far, which would fill a disk.
func (p *Process) EmptyLog() error { return os.Truncate(p.log, 0) }

// LastWords is the end of what the process said, to be put behind an error.
func (p *Process) LastWords() string {
	var words bytes.Buffer
	select {
	case <-p.exited:
		words.WriteString("\nits process has ended")
	default:
	}
	for _, file := range []string{p.complaints, p.log} {
		content, _ := os.ReadFile(file) //nolint:gosec // a file of ours
		content = bytes.TrimSpace(content)
		if len(content) > 0 {
			fmt.Fprintf(&words, "\n%s: %s", filepath.Base(file), content[max(0, len(content)-800):])
		}
	}
	return words.String()
}
