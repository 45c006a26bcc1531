// Package calls counts what a stand-in is asked for, and by whom more than once.
package calls

import (
	"context"
	"net/http"
	"sync"

	"bff.internal/mockservices/internal/answer"
	"bff.internal/mockservices/internal/bounded"
)

// maxRequests is how many requests are told apart. After as many others, one that is asked again counts as new.
const maxRequests = 100_000

// Calls counts the calls of one stand-in. Safe for concurrent use.
type Calls struct {
	mu       sync.Mutex
	counts   counts
	requests *bounded.Map[string, int] // calls of each X-Request-Id
}

// counts is the body of GET /_calls.
type counts struct {
	Calls              int `json:"calls"`
	InFlight           int `json:"inFlight"`
	MostInFlight       int `json:"mostInFlight"`
	Left               int `json:"left"`
	MostOfOneRequest   int `json:"mostOfOneRequest"`
	RequestsAskedTwice int `json:"requestsAskedTwice"`
}

// New counts from nothing.
func New() *Calls {
	return &Calls{requests: bounded.NewMap[string, int](maxRequests)}
}

// Count is next with the counting in front of it.
func (c *Calls) Count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.came(r.Header.Get("X-Request-Id"))
		stay := context.AfterFunc(r.Context(), c.left)
		defer c.ended()
		defer stay()
		next.ServeHTTP(w, r)
	})
}

func (c *Calls) came(request string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Calls++
	c.counts.InFlight++
	c.counts.MostInFlight = max(c.counts.MostInFlight, c.counts.InFlight)
	if request == "" {
		return
	}
	before, _ := c.requests.Get(request)
	c.requests.Put(request, before+1)
	c.counts.MostOfOneRequest = max(c.counts.MostOfOneRequest, before+1)
	if before == 1 {
		c.counts.RequestsAskedTwice++
	}
}

func (c *Calls) left() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Left++
}

func (c *Calls) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.InFlight--
}

// Show answers the counts:
//
//	{"calls":9,"inFlight":1,"mostInFlight":4,"left":2,"mostOfOneRequest":2,"requestsAskedTwice":1}
//
// Left counts the clients that left before their answer; a call is in flight until its answer is written or its client
// has left. The last two go by X-Request-Id and leave out calls without one.
func (c *Calls) Show(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	shown := c.counts
	c.mu.Unlock()
	answer.JSON(w, http.StatusOK, shown)
}

// Restart counts anew. What is in flight stays so, but its coming is forgotten.
func (c *Calls) Restart(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	c.counts = counts{InFlight: c.counts.InFlight, MostInFlight: c.counts.InFlight}
	c.requests = bounded.NewMap[string, int](maxRequests)
	c.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
