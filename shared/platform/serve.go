package platform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"bff.internal/shared/telemetry"
)

// warmWithin is how long a service may be unready at its start.
const warmWithin = 5 * time.Second

// lastWords is how long a request that DRAIN_TIMEOUT has cut may take to say so to its client.
const lastWords = 500 * time.Millisecond

// errStopped is the cause of the contexts of requests that were still there at the end.
var errStopped = errors.New("the service stops")

// Serve serves the handler to clients, and probes, metrics and profiles on the admin listener, until ctx
// ends. /readyz says 503 until what Platform.WarmUp was given is done, for five seconds at most. When ctx ends,
// Serve drains. At once /readyz says 503; for DRAIN_DELAY clients are served as before, but each answer closes
// its connection. After that nothing new is accepted, and what is in flight has DRAIN_TIMEOUT to end before its
// context is cancelled and, a moment later, its connection closed. Hijacked connections such as WebSockets
// belong to their handlers, which are told by Platform.Draining; the end of the drain cancels their context.
// Last, Serve closes the platform. The error is that of a listener which failed: a stop is nil even when
// requests were cut, as the log will say.
//
// A handler may read a body that comes at 64 KiB a second or faster, and then has 30 s to answer. One that
// goes on for longer, such as an event stream, lifts both deadlines of its http.ResponseController; when the
// time for the body is over, its context would end otherwise. A client that stops reading is cut after 8 s,
// whatever the deadlines.
func (l *Listening) Serve(ctx context.Context, handler http.Handler) error {
	p, log := l.platform, l.platform.Telemetry.Log
	base, cutAll := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cutAll(errStopped)
	var t traffic
	public := newServer(log, p.cfg.MaxBody, t.count(handler))
	public.BaseContext = func(net.Listener) context.Context { return base }
	admin := newAdminServer(log, newAdmin(p.Telemetry.Metrics.Handler(), &t, p.adminPages))

	var serving sync.WaitGroup
	t.starting.Store(len(p.warmUps) > 0)
	warming, warm := context.WithTimeout(ctx, warmWithin)
	defer warm()
	serving.Go(func() {
		for _, f := range p.warmUps {
			f(warming)
		}
		t.starting.Store(false)
	})
	failed := make(chan error, 2)
	serve := func(variable string, server *http.Server, listener net.Listener) {
		serving.Go(func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s: nothing is accepted any more: %w", variable, err)
			}
		})
	}
	serve("ADDR", public, guard{l.public})
	serve("ADMIN_ADDR", admin, l.admin)
	log.InfoContext(ctx, "serving", "addr", l.Addr(), "adminAddr", l.AdminAddr())

	err := first(ctx.Done(), failed)
	began := time.Now()
	t.draining.Store(true)
	p.drain()
	log.InfoContext(ctx, "draining", "delayMs", p.cfg.DrainDelay.Milliseconds(), "timeoutMs", p.cfg.DrainTimeout.Milliseconds())
	if err == nil {
		err = first(time.After(p.cfg.DrainDelay), failed)
	}
	cut := t.finish(public, p.cfg.DrainTimeout, cutAll)
	_ = admin.Close()
	warm()
	serving.Wait()
	p.Close()
	log.InfoContext(ctx, "stopped", "ms", telemetry.Milliseconds(time.Since(began)), "requestsCut", cut)
	return err
}

// first waits for the event or a failure, and returns the failure.
func first[T any](event <-chan T, failed <-chan error) error {
	select {
	case <-event:
		return nil
	case err := <-failed:
		return err
	}
}

// traffic is what a drain has to know about the requests.
type traffic struct {
	starting, draining atomic.Bool
	inFlight           atomic.Int64
}

// count keeps the number of requests in flight, and lets clients go once the drain has begun. Closing idle
// connections instead, as http.Server.SetKeepAlivesEnabled does, would break the requests that are just
// being written to them. Requests to upgrade are not counted: they may live on as sockets.
func (t *traffic) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			t.inFlight.Add(1)
			defer t.inFlight.Add(-1)
			if t.draining.Load() {
				w.Header().Set("Connection", "close")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// finish accepts nothing more, waits for what is in flight and cuts the rest, of which it returns the number.
func (t *traffic) finish(server *http.Server, within time.Duration, cutAll context.CancelCauseFunc) int64 {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if server.Shutdown(ctx) == nil {
		return 0
	}
	cut := t.inFlight.Load()
	cutAll(errStopped)
	ctx, cancel = context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	_ = server.Shutdown(ctx)
	_ = server.Close()
	return cut
}
