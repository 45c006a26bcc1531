package hostile

import (
	"net/http"
	"sync"
)

// Ledger counts the requests of all servers that share it. It may be used concurrently.
type Ledger struct {
	mu    sync.Mutex
	asked Asked
	times map[string]int // by X-Request-Id
}

// Asked is how often the servers were asked.
type Asked struct {
	Requests int
	// MostOfOne is how many of these had one X-Request-Id, at the most.
	MostOfOne int
}

// NewLedger returns an empty one. It grows with the requests, which are those of one scenario.
func NewLedger() *Ledger { return &Ledger{times: map[string]int{}} }

// Asked is the count so far.
func (l *Ledger) Asked() Asked {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

func (l *Ledger) add(req *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked.Requests++
	if id := req.Header.Get("X-Request-Id"); id != "" {
		l.times[id]++
		l.asked.MostOfOne = max(l.asked.MostOfOne, l.times[id])
	}
}
