package realtime

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	// maxIncoming bounds a message of a client, in bytes.
	maxIncoming = 16 << 10
	// maxQueue bounds what waits for a client that reads slowly, in bytes. The library looks at it only between
	// two writes, and ends no socket, for whatever reason, in the middle of one.
	maxQueue = 256 << 10
	// connectWithin is from the upgrade to the connect command.
	connectWithin = 5 * time.Second
	// stalledWithin is how long one write to a client may take: what the network takes in at once is much more
	// than a message, so this is for clients that stopped reading.
	stalledWithin = 2 * time.Second

	commandsPerSecond, commandBurst = 20, 60
	framesPerSecond, frameBurst     = 40, 120
)

func socketConfig() centrifuge.WebsocketConfig {
	return centrifuge.WebsocketConfig{
		// handshake.go has judged the origin.
		CheckOrigin:      func(*http.Request) bool { return true },
		MessageSizeLimit: maxIncoming,
		WriteTimeout:     stalledWithin,
		PingPongConfig:   centrifuge.PingPongConfig{PingInterval: 25 * time.Second, PongTimeout: 10 * time.Second},
		// An idle socket keeps no buffer for writing, a small one for reading, and no deep stack.
		UseWriteBufferPool:         true,
		ReadBufferSize:             512,
		ProcessCommandsOffReadLoop: true,
	}
}

// socket is what the hub knows of one connection; the context of the library's client carries it.
type socket struct {
	session Session
	surplus bool // of the user's sockets: to be refused
	release func()

	// Both belong to the goroutine that reads.
	commands bucket
	frames   bucket

	client atomic.Pointer[centrifuge.Client] // nil before the connect command
}

type socketKey struct{}

func socketOf(ctx context.Context) *socket {
	s, _ := ctx.Value(socketKey{}).(*socket)
	return s
}

// hijacked hands a connection that is hijacked already to the library, which asks for it.
type hijacked struct {
	conn   net.Conn
	buffer *bufio.ReadWriter
	header http.Header
}

// Hijack returns the connection.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.conn, h.buffer, nil }

// Header is for an answer that nobody gets: there is no handshake left to refuse.
func (h *hijacked) Header() http.Header { return h.header }

// WriteHeader closes the connection, for the same reason.
func (h *hijacked) WriteHeader(int) { _ = h.conn.Close() }

// Write does nothing.
func (h *hijacked) Write(p []byte) (int, error) { return len(p), nil }

// connection is the network connection of a socket. It counts the frames that come in: the library tells us of
// commands, but answers pings and skips pongs and empty fragments for as long as somebody sends them.
type connection struct {
	net.Conn

	socket *socket
	frames frames
	closed chan struct{}
	close  sync.Once
}

// Read reads, until there were too many frames. Then it says so to the client, and nothing more is read.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.socket.frames.take(c.frames.count(p[:n])) {
		return n, err
	}
	if client := c.socket.client.Load(); client != nil {
		client.Disconnect(errTooManyMessages)
		<-c.closed // at once, or when the client has had its time to answer
	}
	return 0, net.ErrClosed
}

// Close closes the connection and gives its place to another of the user's sockets.
func (c *connection) Close() error {
	c.close.Do(func() {
		close(c.closed)
		c.socket.release()
	})
	return c.Conn.Close()
}
