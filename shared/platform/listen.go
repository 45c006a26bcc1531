package platform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
)

// Listening is a pair of open listeners that are not served yet: clients can connect, and wait.
type Listening struct {
	platform *Platform
	public   net.Listener
	admin    net.Listener
}

// Listen opens the listeners of ADDR and ADMIN_ADDR, both or none. Who does not go on to Serve closes them.
// It is for processes that have to know the addresses first; others use Platform.Serve.
func (p *Platform) Listen(ctx context.Context) (*Listening, error) {
	public, err := listen(ctx, "ADDR", p.cfg.Addr)
	if err != nil {
		return nil, err
	}
	admin, err := listen(ctx, "ADMIN_ADDR", p.cfg.AdminAddr)
	if err != nil {
		_ = public.Close()
		return nil, err
	}
	return &Listening{platform: p, public: public, admin: admin}, nil
}

// Addr is host:port of the public listener, with the port that it really has.
func (l *Listening) Addr() string { return l.public.Addr().String() }

// AdminAddr is host:port of the admin listener, with the port that it really has.
func (l *Listening) AdminAddr() string { return l.admin.Addr().String() }

// Close closes both listeners, and does nothing to listeners that are closed.
func (l *Listening) Close() {
	_ = l.public.Close()
	_ = l.admin.Close()
}

// Serve listens and serves until ctx ends, as Listening.Serve does.
func (p *Platform) Serve(ctx context.Context, handler http.Handler) error {
	defer p.Close()
	if ctx.Err() != nil {
		return nil
	}
	l, err := p.Listen(ctx)
	if err != nil {
		return err
	}
	return l.Serve(ctx, handler)
}

func listen(ctx context.Context, variable, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err == nil {
		return listener, nil
	}
	// The system's own words: the error around them repeats the address.
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		err = errno
	}
	return nil, &ListenError{Variable: variable, Addr: addr, Err: err}
}

// ListenError is an address that cannot be listened on.
type ListenError struct {
	// Variable is the environment variable that changes Addr.
	Variable string
	Addr     string
	// Err is the system's own error.
	Err error
}

// Error says in one line what to do about it.
func (e *ListenError) Error() string {
	return fmt.Sprintf("%s: cannot listen on %s: %v; set %s to another address", e.Variable, e.Addr, e.Err, e.Variable)
}

// Unwrap returns the system's own error.
func (e *ListenError) Unwrap() error { return e.Err }
