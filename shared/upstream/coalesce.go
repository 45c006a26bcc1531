package upstream

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"bff.internal/shared/cache"
)

// coalesce lets identical GETs of one caller that are in flight at the same time share one call. The call belongs to
// nobody: it goes on while anybody waits for it, and ends with the last who leaves.
type coalesce struct {
	next    http.RoundTripper
	service string
	answers *cache.Store

	mu      sync.Mutex
	flights map[flightKey]*flight
}

// flightKey is what makes two requests identical: the same answer, on the same condition.
type flightKey struct {
	answer    cache.Key
	tag, date string
}

// flight is a call that is shared.
type flight struct {
	since   cache.Mark
	asked   time.Time
	until   time.Time // when its time is over; zero for never
	cancel  context.CancelFunc
	waiting int           // guarded by coalesce.mu
	ended   chan struct{} // closed when resp and err are there
	resp    *http.Response
	err     error
}

func newCoalesce(next http.RoundTripper, service string, answers *cache.Store) *coalesce {
	return &coalesce{next: next, service: service, answers: answers, flights: map[flightKey]*flight{}}
}

func (l *coalesce) RoundTrip(req *http.Request) (*http.Response, error) {
	key, ok := keyOf(req, l.service)
	if !ok {
		return l.next.RoundTrip(req)
	}
	ctx, id := req.Context(), flightKey{key, req.Header.Get("If-None-Match"), req.Header.Get("If-Modified-Since")}
	for {
		f, own := l.join(id, req)
		resp, err := l.wait(ctx, id, f)
		if !ranOut(err) || ctx.Err() != nil {
			if !own {
				callOf(req).shared = f
			}
			return resp, err
		}
		if deadline, ok := ctx.Deadline(); own || ok && !time.Now().Before(deadline) { // its time is over at this very moment
			<-ctx.Done()
			return nil, wireError(ctx, l.service, ctx.Err())
		}
	}
}

// ranOut reports whether a call has ended with the time of the one who made it. Who has more makes another.
func ranOut(err error) bool {
	own, ok := errors.AsType[*Error](err)
	return ok && own.Kind == Timeout
}

// join returns the flight that the request may share, or one of its own. A reader that comes after a change gets no
// answer from before.
func (l *coalesce) join(id flightKey, req *http.Request) (f *flight, own bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f = l.flights[id]
	if f != nil && !l.answers.Since(f.since, id.answer.Caller, id.answer.Service) {
		f.waiting++
		return f, false
	}
	ctx := context.WithoutCancel(req.Context())
	f = &flight{since: l.answers.Now(), asked: time.Now(), waiting: 1, ended: make(chan struct{})}
	if deadline, ok := req.Context().Deadline(); ok {
		f.until = deadline
		ctx, f.cancel = context.WithDeadline(ctx, deadline)
	} else {
		ctx, f.cancel = context.WithCancel(ctx)
	}
	l.flights[id] = f
	go l.fly(id, f, req.WithContext(ctx))
	return f, true
}

// fly makes the call.
func (l *coalesce) fly(id flightKey, f *flight, req *http.Request) {
	defer close(f.ended)
	defer f.cancel()
	defer l.forget(id, f)
	defer func() {
		if thrown := recover(); thrown != nil { // nobody else would
			f.err = &Error{Service: l.service, Kind: BadAnswer, Err: &panicError{thrown, debug.Stack()}}
		}
	}()
	f.resp, f.err = l.next.RoundTrip(req)
}

// wait returns a response of the caller's own, whose header and value are everybody's.
func (l *coalesce) wait(ctx context.Context, id flightKey, f *flight) (*http.Response, error) {
	select {
	case <-f.ended:
		if f.err != nil {
			return nil, f.err
		}
		own := *f.resp
		return &own, nil
	case <-ctx.Done():
		if l.leave(id, f) {
			f.end()
		}
		return nil, wireError(ctx, l.service, ctx.Err())
	}
}

// end ends the flight that nobody waits for. One whose time is over ends by itself, for that tells of the service what a
// cancelled call does not.
func (f *flight) end() {
	if f.until.IsZero() || time.Now().Before(f.until) {
		f.cancel()
	}
	<-f.ended
}

// leave reports whether nobody waits for the flight any more; then nobody finds it any more either.
func (l *coalesce) leave(id flightKey, f *flight) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.waiting--
	if f.waiting > 0 {
		return false
	}
	if l.flights[id] == f {
		delete(l.flights, id)
	}
	return true
}

func (l *coalesce) forget(id flightKey, f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flights[id] == f {
		delete(l.flights, id)
	}
}
