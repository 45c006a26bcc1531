// Package hostile is a service that answers with what no service should send, byte by byte.
package hostile

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
)

// Server answers every request with the shape that it was told last, and then closes the connection. Its methods may be
// used concurrently.
type Server struct {
	// Addr is host:port where it listens.
	Addr string

	listener net.Listener
	ledger   *Ledger
	serving  sync.WaitGroup
	ended    chan struct{} // closed by Close

	mu    sync.Mutex
	shape Shape
	open  map[net.Conn]struct{}
}

// Start listens on a port of this machine, and enters requests in the ledger. The caller closes the server.
func Start(ctx context.Context, ledger *Ledger, shape Shape) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		Addr: listener.Addr().String(), listener: listener, ledger: ledger, shape: shape,
		ended: make(chan struct{}), open: map[net.Conn]struct{}{},
	}
	s.serving.Go(s.accept)
	return s, nil
}

// Say changes the shape of later answers.
func (s *Server) Say(shape Shape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shape = shape
}

// Open is how many connections are open.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Close ends every connection, and returns when nothing of the server goes on.
func (s *Server) Close() {
	close(s.ended)
	_ = s.listener.Close() // nobody can be told
	s.mu.Lock()
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		s.serving.Go(func() { s.serve(conn) })
	}
}

func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	if !s.came(conn) {
		return
	}
	defer s.gone(conn)
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	s.ledger.add(req)
	s.mu.Lock()
	send := s.shape.send
	s.mu.Unlock()
	if send != nil {
		send(conversation{conn, req, s.ended})
	}
}

// came reports whether the connection may stay, which it may not once everything ends.
func (s *Server) came(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
		return false
	default:
		s.open[conn] = struct{}{}
		return true
	}
}

func (s *Server) gone(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}
