package mobile_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// backend is one service, as its replicas have seen it.
type backend struct {
	scheduledService

	value      func(path, token string) string // what it has for whoever the token names
	replicas   []*replica
	turnedAway atomic.Int64 // who wanted a connection
	broken     atomic.Int64 // connections that ended for no request's sake

	mu   sync.Mutex
	seen map[string][]*exchange // by request id
}

// replica is one address of a service.
type replica struct {
	service *backend
	host    string
	phases  []phase
	begun   time.Time
	held    atomic.Pointer[phase] // in the place of all phases, unless it is nil

	opened   atomic.Int64 // connections, as bff-mobile sees them
	inFlight atomic.Int64
	served   atomic.Int64

	mu    sync.Mutex
	wires map[*wire]bool
}

// begin lets the phases run.
func (r *replica) begin(now time.Time) {
	r.begun = now
	for _, p := range r.phases {
		if p.fault.begins != breaksNone {
			time.AfterFunc(p.from, func() { r.breakWires(p.fault.begins) })
		}
	}
}

// now is the phase that the replica is in.
func (r *replica) now() phase {
	if held := r.held.Load(); held != nil {
		return *held
	}
	current, since := phase{fault: &healthy}, time.Since(r.begun)
	if r.begun.IsZero() {
		return current
	}
	for _, p := range r.phases {
		if p.from <= since {
			current = p
		}
	}
	return current
}

func (r *replica) breakWires(which breaking) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.wires {
		if which == breaksAll || w.idle.Load() {
			r.service.broken.Add(1)
			w.reset()
		}
	}
}

func (r *replica) accept() net.Conn {
	client, server := net.Pipe()
	w := &wire{Conn: server}
	r.mu.Lock()
	r.wires[w] = true
	r.mu.Unlock()
	r.opened.Add(1)
	go r.converse(w)
	return &clientEnd{Conn: client, wire: w, opened: &r.opened}
}

// converse answers one request after the other.
func (r *replica) converse(w *wire) {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.wires, w)
		w.Close()
	}()
	reader := bufio.NewReader(w)
	for {
		w.idle.Store(true)
		if _, err := reader.Peek(1); err != nil {
			return
		}
		w.idle.Store(false)
		now := r.now()
		if now.fault.unread {
			r.service.broken.Add(1)
			w.reset()
			return
		}
		req, err := http.ReadRequest(reader)
		if err != nil || !r.serve(&exchange{replica: r, conn: w, req: req, phase: now}) {
			return
		}
	}
}

func (r *replica) serve(x *exchange) bool {
	x.conn.exchanges++
	x.reused = x.conn.exchanges > 1
	r.service.note(x)
	r.inFlight.Add(1)
	defer r.inFlight.Add(-1)
	defer x.over.Store(true)
	if x.phase.delay > 0 && !x.pass(x.phase.delay) {
		return false
	}
	defer r.served.Add(1)
	return x.phase.fault.serve(x)
}

func (b *backend) note(x *exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := x.req.Header.Get("X-Request-Id")
	b.seen[id] = append(b.seen[id], x)
}

// exchanges are those of a request, in the order of their beginning.
func (b *backend) exchanges(id string) []*exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[id]
}

// exchange is a request that a replica has read.
type exchange struct {
	replica *replica
	conn    *wire
	req     *http.Request
	phase   phase
	reused  bool        // the connection had carried another one before
	spoken  atomic.Bool // a byte was answered
	over    atomic.Bool
}

// pass lets time pass, and reports whether somebody still waits for the answer.
func (x *exchange) pass(d time.Duration) bool {
	if x.conn.SetReadDeadline(time.Now().Add(d)) != nil {
		return false
	}
	_, err := x.conn.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded) && x.conn.SetReadDeadline(time.Time{}) == nil
}

func (x *exchange) say(text string) bool {
	n, err := x.conn.Write([]byte(text))
	if n > 0 {
		x.spoken.Store(true)
	}
	return err == nil
}

func (x *exchange) head(status string, length int, header string) bool {
	return x.say(fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n", status, length, header))
}

func (x *exchange) answer(status int, header, body string) bool {
	return x.head(fmt.Sprintf("%d %s", status, http.StatusText(status)), len(body), header) && x.say(body)
}

// value is what the service has for the caller.
func (x *exchange) value() string {
	return x.replica.service.value(x.req.URL.Path, strings.TrimPrefix(x.req.Header.Get("Authorization"), "Bearer "))
}
