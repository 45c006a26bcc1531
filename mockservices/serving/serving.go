// Package serving puts stand-ins on the network and takes them off again, hanging requests included.
package serving

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	headerWait = 5 * time.Second
	idleWait   = 2 * time.Minute
	stopWait   = 2 * time.Second
	maxHeader  = 64 << 10 // bytes
)

// Service is a handler and where it is to be found.
type Service struct {
	// Name is what the service is called in messages.
	Name string
	// Address is host:port; port 0 picks a free one.
	Address string
	// Variable is the environment variable that changes Address, for the message that it is taken; empty for none.
	Variable string
	// Listener is what Listen returned; nil lets Start listen.
	Listener net.Listener
	// Handler serves every request.
	Handler http.Handler
}

// Listen opens the service's address, for who has to know the real one before there is a handler.
func Listen(service Service) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", service.Address)
	if errors.Is(err, syscall.EADDRINUSE) && service.Variable != "" {
		return nil, fmt.Errorf("%s: %s is in use: stop what listens there, or set %s", service.Name, service.Address, service.Variable)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", service.Name, err)
	}
	return listener, nil
}

// Server is a service that listens. Whoever started it stops it.
type Server struct {
	name     string
	listener net.Listener
	server   *http.Server
	release  context.CancelFunc // ends the context of every request
	ended    chan struct{}      // closed when serving has ended
	failure  error              // why it ended by itself; to be read after that
}

// Start listens and serves until Stop. Requests are logged at debug level only; a nil log discards everything.
func Start(log *slog.Logger, service Service) (*Server, error) {
	return start(log, service, func() {})
}

// start is Start that calls ended when serving has ended, for whatever reason.
func start(log *slog.Logger, service Service, ended func()) (*Server, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	listener := service.Listener
	if listener == nil {
		var err error
		if listener, err = Listen(service); err != nil {
			return nil, err
		}
	}
	requests, release := context.WithCancel(context.Background())
	s := &Server{
		name:     service.Name,
		listener: listener,
		release:  release,
		ended:    make(chan struct{}),
		server: &http.Server{
			Handler:           logged(log, service),
			BaseContext:       func(net.Listener) context.Context { return requests },
			ReadHeaderTimeout: headerWait,
			IdleTimeout:       idleWait,
			MaxHeaderBytes:    maxHeader,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}
	go s.serve(ended)
	return s, nil
}

func (s *Server) serve(ended func()) {
	defer close(s.ended)
	defer ended()
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		s.failure = fmt.Errorf("%s: %w", s.name, err)
	}
}

// URL is where the server is reached, without a slash at the end.
func (s *Server) URL() string {
	return "http://" + s.listener.Addr().String()
}

// Stop lets go what hangs, lets what is being answered finish within ctx, and closes the rest. It returns when serving
// has ended; the error is why it had ended before, if it had. Stopping twice does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.release()
	if s.server.Shutdown(ctx) != nil {
		// Whoever is still there had the time that ctx gave.
		_ = s.server.Close()
	}
	<-s.ended
	return s.failure
}

// Run starts all services, stays until ctx ends or one of them fails, and stops them all within two seconds.
// The error is why it could not start, or what failed; an end of ctx is none.
func Run(ctx context.Context, log *slog.Logger, services []Service) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var servers []*Server
	for _, service := range services {
		server, err := start(log, service, cancel)
		if err != nil {
			return errors.Join(err, stopAll(servers))
		}
		servers = append(servers, server)
		log.Info("listening", "service", service.Name, "url", server.URL())
	}
	<-ctx.Done()
	err := stopAll(servers)
	log.Info("stopped", "services", len(servers))
	return err
}

func stopAll(servers []*Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	var all error
	for _, server := range servers {
		all = errors.Join(all, server.Stop(ctx))
	}
	return all
}

// logged is the service's handler with a line per request, at debug level.
func logged(log *slog.Logger, service Service) http.Handler {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return service.Handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		recorder := &statusRecorder{ResponseWriter: w}
		service.Handler.ServeHTTP(recorder, r)
		client, _, _ := r.BasicAuth() // who asks for tokens, whether it is true or not
		log.DebugContext(r.Context(), "request", "service", service.Name, "method", r.Method, "path", r.URL.Path,
			"client", client, "status", recorder.status, "took", time.Since(began))
	})
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter

	status int
}

// WriteHeader is [http.ResponseWriter]'s.
func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
