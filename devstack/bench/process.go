package main

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
	"syscall"
	"time"
)

const (
	startsWithin = 15 * time.Second
	stopsWithin  = 3 * time.Second
)

// program is how to start a process.
type program struct {
	name string // that of its files in dir
	dir  string
	path string
	args []string
	env  []string // all of it: nothing is inherited
	// addr is where the process will listen, or empty when a line of its log says so.
	addr string
}

// process is a child that listens. It ends with the context that it was started under, and with this process, however
// that ends.
type process struct {
	name string
	pid  int
	at   addresses

	log, complaints string // files
	stopNow         context.CancelFunc
	exited          chan struct{}
}

// addresses is the line of a log that says where its process listens.
type addresses struct {
	Addr      string `json:"addr"`
	AdminAddr string `json:"adminAddr"`
}

// start returns when the process listens. The caller stops it.
func start(ctx context.Context, p program) (*process, error) {
	ctx, stop := context.WithCancel(ctx)
	child := &process{
		name:       p.name,
		at:         addresses{Addr: p.addr},
		log:        filepath.Join(p.dir, p.name+".log"),
		complaints: filepath.Join(p.dir, p.name+".err"),
		stopNow:    stop,
		exited:     make(chan struct{}),
	}
	if err := child.launch(ctx, p); err != nil {
		stop()
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	if err := child.ready(ctx); err != nil {
		err = fmt.Errorf("start %s: %w%s", p.name, err, child.lastWords())
		child.stop()
		return nil, err
	}
	return child, nil
}

func (c *process) launch(ctx context.Context, p program) error {
	cmd := exec.CommandContext(ctx, p.path, p.args...) //nolint:gosec // what it runs was built a moment ago
	cmd.Dir = p.dir
	cmd.Env = append([]string{}, p.env...) // nil would inherit
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopsWithin
	cmd.SysProcAttr = attributes()
	stdout, err := appendTo(c.log)
	if err != nil {
		return err
	}
	stderr, err := appendTo(c.complaints)
	if err != nil {
		return errors.Join(err, stdout.Close())
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Start()
	// The child has them now, if there is one.
	if err = errors.Join(err, stdout.Close(), stderr.Close()); err != nil {
		return err
	}
	c.pid = cmd.Process.Pid
	go func() {
		defer close(c.exited)
		_ = cmd.Wait() // who waits for the end does not ask for the reason; lastWords has it
	}()
	return nil
}

// appendTo opens a file so that it can be emptied while a process writes to it.
func appendTo(file string) (*os.File, error) {
	return os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in a directory of ours
}

// ready waits until the process listens.
func (c *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startsWithin, errors.New("it does not listen"))
	defer cancel()
	for !c.listens(ctx) {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-c.exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (c *process) listens(ctx context.Context) bool {
	if c.at.Addr == "" {
		c.at = announced(c.log)
	}
	if c.at.Addr == "" {
		return false
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.at.Addr)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// announced finds the addresses in a log of JSON lines.
func announced(file string) addresses {
	content, _ := os.ReadFile(file) //nolint:gosec // a file of ours
	for line := range bytes.Lines(content) {
		var at addresses
		if json.Unmarshal(line, &at) == nil && at.Addr != "" {
			return at
		}
	}
	return addresses{}
}

// stop ends the process and waits for its end.
func (c *process) stop() {
	c.stopNow()
	<-c.exited
}

// emptyLog forgets the log so far, which would fill a disk.
func (c *process) emptyLog() error { return os.Truncate(c.log, 0) }

// lastWords is the end of what the process said, to be put behind an error.
func (c *process) lastWords() string {
	var words bytes.Buffer
	select {
	case <-c.exited:
		words.WriteString("\nits process has ended")
	default:
	}
	for _, file := range []string{c.complaints, c.log} {
		content, _ := os.ReadFile(file) //nolint:gosec // a file of ours
		content = bytes.TrimSpace(content)
		if len(content) > 0 {
			fmt.Fprintf(&words, "\n%s: %s", filepath.Base(file), content[max(0, len(content)-800):])
		}
	}
	return words.String()
}
