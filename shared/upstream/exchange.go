package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// exchange is what can be seen of a request on the wire.
type exchange struct {
	trace  httptrace.ClientTrace
	begun  atomic.Bool // the first byte of an answer has come, that of an interim one (1xx) included
	conns  atomic.Int32
	giveUp context.CancelCauseFunc
}

// errRepeated ends a request that net/http would send once too often.
var errRepeated = errors.New("kept connections broke one after another")

// repeats decides whether net/http may send a request again. The zero value lets it.
type repeats struct {
	budget  *extraBudget
	counted func()
}

const (
	reconnectShare = 0.2
	// reconnectSaved is how many connections a service may close at a time: as many as are kept to a replica.
	reconnectSaved = 128
)

func newReconnectBudget() *extraBudget {
	return &extraBudget{share: reconnectShare, most: reconnectSaved, saved: reconnectSaved}
}

// watch returns the request as it is to be sent. net/http sends a GET again, on its own account, whenever a kept
// connection turns out to be closed before the first byte of an answer. Once, that repairs a connection that the service
// closed while it was idle; but a service that breaks every connection would get the request as often as there are
// kept ones. So that is the one extra attempt of its call, and has a budget.
func watch(req *http.Request, r repeats) (*http.Request, *exchange) {
	c, _ := req.Context().Value(callKey{}).(*call)
	ctx, cancel := context.WithCancelCause(req.Context())
	e := &exchange{giveUp: cancel}
	e.trace.GotFirstResponseByte = func() { e.begun.Store(true) }
	e.trace.GotConn = func(httptrace.GotConnInfo) {
		switch {
		case e.conns.Add(1) == 1 || r.budget == nil:
		case c != nil && c.claimExtra() && r.budget.spend(time.Now()):
			r.counted()
		default:
			cancel(errRepeated)
		}
	}
	return req.WithContext(httptrace.WithClientTrace(ctx, &e.trace)), e
}

// why is the error of the exchange, unless we have ended it.
func (e *exchange) why(err error) error {
	if e.conns.Load() > 1 && errors.Is(err, context.Canceled) {
		return errRepeated
	}
	return err
}

// end is called when nothing more is read.
func (e *exchange) end() { e.giveUp(nil) }
