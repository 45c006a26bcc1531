package upstream_test

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"bff.internal/shared/upstream"
	"bff.internal/shared/upstream/upstreamtest"
)

// slots is a service that works on so many requests at a time; the others queue in it without bound. What it has taken
// on it works off, whether or not the caller still waits.
type slots struct {
	work time.Duration

	mu     sync.Mutex
	freeAt []time.Time
}

func newSlots(work time.Duration) *slots {
	return &slots{work: work, freeAt: make([]time.Time, slotCount)}
}

func (s *slots) answer(*http.Request) upstreamtest.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := 0
	for i, free := range s.freeAt {
		if free.Before(s.freeAt[first]) {
			first = i
		}
	}
	begins := time.Now()
	if s.freeAt[first].After(begins) {
		begins = s.freeAt[first]
	}
	s.freeAt[first] = begins.Add(s.work)
	return upstreamtest.Answer{After: time.Until(s.freeAt[first]), Body: `{"id":"1"}`}
}

// load is a caller that asks at a rate, whatever becomes of the calls.
type load struct {
	perSecond int
	lasts     time.Duration
	deadline  time.Duration // of each call; 0 means 800 ms
	caller    string
	callers   int // who take turns, each of them caller with a number; 0 means caller alone
}

// tally is what became of the calls.
type tally struct {
	mu       sync.Mutex
	all      int
	good     int
	byKind   map[upstream.Kind]int
	lateShed int // shed answers that did not come at once
}

// run makes the calls and waits for their ends.
func (l load) run(t *testing.T, client *upstream.Client) *tally {
	t.Helper()
	result := &tally{byKind: map[upstream.Kind]int{}}
	callers := []context.Context{upstream.WithCredentials(t.Context(), upstream.Credentials{Key: l.caller})}
	for i := 1; i < l.callers; i++ {
		callers = append(callers, upstream.WithCredentials(t.Context(), upstream.Credentials{Key: l.caller + strconv.Itoa(i)}))
	}
	var calls sync.WaitGroup
	ticker := time.NewTicker(time.Second / time.Duration(l.perSecond))
	defer ticker.Stop()
	for i := range int(l.lasts.Seconds() * float64(l.perSecond)) {
		<-ticker.C
		calls.Go(func() {
			ctx, cancel := context.WithTimeout(callers[i%len(callers)], cmp.Or(l.deadline, 800*time.Millisecond))
			defer cancel()
			begun := time.Now()
			// Each asks for something else: identical ones would share a call.
			_, err := upstream.Get[thing](ctx, client, upstream.Target{Path: aThing.Path, Query: url.Values{"n": {strconv.Itoa(i)}}})
			result.add(kindOf(err), err, time.Since(begun))
		})
	}
	calls.Wait()
	return result
}

const atOnce = 10 * time.Millisecond

func (r *tally) add(kind upstream.Kind, err error, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all++
	if err == nil {
		r.good++
		return
	}
	r.byKind[kind]++
	if kind == upstream.Shed && took > atOnce {
		r.lateShed++
	}
}
