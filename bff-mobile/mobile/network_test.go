package mobile_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// dialWithin is how long the platform waits for a connection.
const dialWithin = 500 * time.Millisecond

// network is connections in memory from bff-mobile to the replicas of its services.
type network struct {
	hosts map[string]*replica // by address
}

// dial is a transport's DialContext. Its errors are those of the operating system.
func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	r := n.hosts[address]
	if r == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}}
	}
	switch r.now().fault.connects {
	case refused:
		r.service.turnedAway.Add(1)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case ignored:
		r.service.turnedAway.Add(1)
		ctx, cancel := context.WithTimeout(ctx, dialWithin)
		defer cancel()
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	default:
		return r.accept(), nil
	}
}

// wire is one connection, as the replica and as bff-mobile hold it.
type wire struct {
	net.Conn // the replica's end

	idle      atomic.Bool
	wasReset  atomic.Bool
	exchanges int // on the replica's side alone
}

// reset ends the connection as if the replica's process had died.
func (w *wire) reset() {
	w.wasReset.Store(true)
	w.Close()
}

// clientEnd fails like a connection of the operating system.
type clientEnd struct {
	net.Conn

	wire   *wire
	opened *atomic.Int64
	once   sync.Once
}

func (c *clientEnd) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.failure("read", err)
}

func (c *clientEnd) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.failure("write", err)
}

func (c *clientEnd) failure(op string, err error) error {
	switch {
	case errors.Is(err, io.EOF) && !c.wire.wasReset.Load():
		return io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
		return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, syscall.ECONNRESET)}
	default:
		return err
	}
}

// Close is counted once.
func (c *clientEnd) Close() error {
	c.once.Do(func() { c.opened.Add(-1) })
	return c.Conn.Close()
}
