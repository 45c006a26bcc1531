package platform

import (
	"net"
	"sync"
	"time"
)

const (
	// stalledAfter is how long a client may take none of what is being written to it.
	stalledAfter = 8 * time.Second
	// guardedPiece is what it has to take in that time, so 8 KiB a second are fast enough.
	guardedPiece = 64 << 10
)

// guard is a listener whose connections give up on clients that stop reading. http.Server alone has only
// WriteTimeout, which has to be long enough for the longest honest answer, and is lifted for streams.
type guard struct{ net.Listener }

// Accept waits for the next connection.
func (g guard) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &guardedConn{Conn: conn}, nil
}

type guardedConn struct {
	net.Conn

	mu    sync.Mutex
	limit time.Time // the deadline that the server or a handler has set
}

// Write writes all of b, unless a piece of it stalls or the deadline passes.
func (c *guardedConn) Write(b []byte) (written int, err error) {
	for {
		piece := b[written:min(written+guardedPiece, len(b))]
		if err := c.allow(stalledAfter); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(piece)
		written += n
		if err != nil || written == len(b) {
			return written, err
		}
	}
}

// allow gives the next piece its time, within the deadline.
func (c *guardedConn) allow(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(d)
	if !c.limit.IsZero() && c.limit.Before(deadline) {
		deadline = c.limit
	}
	return c.Conn.SetWriteDeadline(deadline)
}

// SetWriteDeadline limits all writes together.
func (c *guardedConn) SetWriteDeadline(limit time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = limit
	return c.Conn.SetWriteDeadline(limit)
}

// SetDeadline limits all reads and all writes together.
func (c *guardedConn) SetDeadline(limit time.Time) error {
	if err := c.SetReadDeadline(limit); err != nil {
		return err
	}
	return c.SetWriteDeadline(limit)
}

// CloseWrite tells the client that nothing more comes; the server does so before it closes a connection on
// which the client may still be sending.
func (c *guardedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
