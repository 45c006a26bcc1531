// Package load sends requests in an open loop, at a rate that does not heed how fast they are answered, and counts what
// became of each.
package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Plan is what is sent, and how. Every field but Bare, Fresh, Host and Most is required.
type Plan struct {
	URL string
	// Host is the header Host; "" is that of the URL.
	Host string
	// Callers are the headers of requests, in turn.
	Callers []http.Header
	// Rate is how many requests are sent in a second.
	Rate int
	// Most is how many requests are sent in all; 0 is as many as there are until Stop.
	Most int
	// InFlight is how many requests may wait for their answers. One more is not sent, and counts as failed.
	InFlight int
	// Within is how long a request may take, its answer included.
	Within time.Duration
	// Fresh sends each request over a connection of its own.
	Fresh bool
	// Bare sends requests without a body, so that whoever serves one can see when its client leaves. Without Fresh, a
	// request whose kept connection turns out to be closed is then quietly repeated.
	Bare bool
}

// Load is requests being sent. Whoever started it stops it.
type Load struct {
	plan   Plan
	client *http.Client
	slots  chan struct{}
	stop   context.CancelFunc
	sent   chan struct{} // closed when everything was sent
	ended  chan struct{} // closed when everything was answered
	begun  time.Time

	mu    sync.Mutex
	tally Tally
}

// Start begins to send. The requests end with ctx, as errors; those after it are not sent.
func Start(ctx context.Context, plan Plan) *Load {
	sending, stop := context.WithCancel(ctx)
	l := &Load{
		plan: plan,
		client: &http.Client{
			Transport: &http.Transport{
				MaxIdleConnsPerHost: plan.InFlight,
				DisableKeepAlives:   plan.Fresh,
				DisableCompression:  true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, plan.InFlight),
		stop:  stop,
		sent:  make(chan struct{}),
		ended: make(chan struct{}),
		begun: time.Now(),
		tally: newTally(),
	}
	go l.run(ctx, sending)
	return l
}

// run sends until sending ends, and waits for the answers. One that comes late to its time sends the next requests at
// once, until it has caught up.
func (l *Load) run(ctx, sending context.Context) {
	defer close(l.ended)
	defer l.client.CloseIdleConnections()
	var asking sync.WaitGroup
	defer asking.Wait()
	defer close(l.sent)
	apart := time.Second / time.Duration(l.plan.Rate)
	for i := 0; l.plan.Most == 0 || i < l.plan.Most; i++ {
		wait := time.NewTimer(time.Until(l.begun.Add(time.Duration(i) * apart)))
		select {
		case <-wait.C:
		case <-sending.Done():
			wait.Stop()
			return
		}
		l.lag(time.Since(l.begun) - time.Duration(i)*apart)
		select {
		case l.slots <- struct{}{}:
			asking.Go(func() {
				defer func() { <-l.slots }()
				l.ask(ctx, l.plan.Callers[i%len(l.plan.Callers)])
			})
		default:
			l.count(Answer{Kind: fmt.Sprintf("not sent, with %d in flight", l.plan.InFlight), At: time.Since(l.begun)})
		}
	}
}

// Begun is when the load began, for times that are to be compared with At of an Answer.
func (l *Load) Begun() time.Time { return l.begun }

// Sent is closed when Most requests were sent, or the load was stopped.
func (l *Load) Sent() <-chan struct{} { return l.sent }

// Stop sends nothing more, waits for the answers and returns the whole count. Stopping twice is fine.
func (l *Load) Stop() Tally {
	l.stop()
	<-l.ended
	return l.Tally()
}

// Finish waits until Most requests were sent and answered, and returns the whole count.
func (l *Load) Finish() Tally {
	<-l.ended
	return l.Stop()
}

// Tally is the count so far.
func (l *Load) Tally() Tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tally.clone()
}

func (l *Load) count(a Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally = l.tally.plus(a)
}

func (l *Load) lag(lag time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally.Lag = max(l.tally.Lag, lag)
}

// ask sends a request and counts its answer.
func (l *Load) ask(ctx context.Context, caller http.Header) {
	a := Answer{At: time.Since(l.begun)}
	began := time.Now()
	a.Kind, a.By = l.answer(ctx, caller)
	a.Took = time.Since(began)
	l.count(a)
}

// answer sends a request and says what became of it, and who answered.
func (l *Load) answer(ctx context.Context, caller http.Header) (kind, by string) {
	ctx, cancel := context.WithTimeout(ctx, l.plan.Within)
	defer cancel()
	// A Go transport, this one's and Caddy's alike, quietly repeats a GET whose kept connection turns out to be closed:
	// the very loss that is to be counted. A body that cannot be had twice forbids that to every one on the way. It is
	// of a kind that goes out together with the header, so that nobody can answer before it is there.
	var body io.Reader = strings.NewReader(" ")
	if l.plan.Bare {
		body = http.NoBody
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.plan.URL, body)
	if err != nil {
		return KindOf(err), ""
	}
	req.GetBody = nil
	req.Host = l.plan.Host
	req.Header = caller.Clone()
	resp, err := l.client.Do(req)
	if err != nil {
		return KindOf(err), ""
	}
	defer resp.Body.Close()
	by = resp.Header.Get(ByHeader)
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return "answer " + KindOf(err), "" // nobody has answered
	}
	return kindOf(resp, content), by
}
