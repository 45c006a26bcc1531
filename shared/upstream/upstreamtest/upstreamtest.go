// Package upstreamtest is the seam for tests: a scripted transport in the place of the network. It works
// under testing/synctest.
package upstreamtest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
)

// Answer is what a service does when it is asked. The zero value answers 200 with an empty JSON object.
type Answer struct {
	// After is how long the answer takes; a caller that stops waiting gets its context's error.
	After time.Duration
	// Hang means that no answer ever comes.
	Hang bool
	// Err ends the exchange without an answer.
	Err error
	// Status is 200 if 0.
	Status int
	// ContentType is "application/json" if empty.
	ContentType string
	// Header is added to the answer's.
	Header http.Header
	// Body is "{}" if empty.
	Body string
	// Stall is how long the body takes after the header has come.
	Stall time.Duration
	// Broken, unless it is nil, ends the body after what Body holds.
	Broken error
}

// Transport answers by script. It may be used and changed concurrently.
type Transport struct {
	mu       sync.Mutex
	script   map[string]func(*http.Request) Answer
	requests []*http.Request
}

// Answer makes every request for the path get the answer, whichever host it is sent to.
func (t *Transport) Answer(path string, a Answer) {
	t.Handle(path, func(*http.Request) Answer { return a })
}

// Handle makes f decide the answer of every request for the path.
func (t *Transport) Handle(path string, f func(*http.Request) Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.script == nil {
		t.script = map[string]func(*http.Request) Answer{}
	}
	t.script[path] = f
}

// Requests returns the requests made so far, in the order of their arrival.
func (t *Transport) Requests() []*http.Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]*http.Request(nil), t.requests...)
}

// RoundTrip answers by script; a path that the script does not know is a 404.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.mu.Lock()
	t.requests = append(t.requests, req)
	decide := t.script[req.URL.Path]
	t.mu.Unlock()

	answer := Answer{Status: http.StatusNotFound}
	if decide != nil {
		answer = decide(req)
	}
	return answer.roundTrip(req)
}

// Func is a transport that answers each request as it decides. It remembers nothing, so that many requests cost little.
type Func func(*http.Request) Answer

// RoundTrip makes the exchange.
func (f Func) RoundTrip(req *http.Request) (*http.Response, error) { return f(req).roundTrip(req) }

func (a Answer) roundTrip(req *http.Request) (*http.Response, error) {
	if a.Hang {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	if err := wait(req.Context(), a.After); err != nil {
		return nil, err
	}
	if a.Err != nil {
		return nil, a.Err
	}
	return a.response(req), nil
}

func (a Answer) response(req *http.Request) *http.Response {
	header := a.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", or(a.ContentType, "application/json"))
	status := a.Status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: -1, Request: req,
		Body: &body{ctx: req.Context(), stall: a.Stall, broken: a.Broken, Reader: strings.NewReader(or(a.Body, "{}"))},
	}
}

// body comes late, if it is told to, and ends with its request's context.
type body struct {
	io.Reader

	ctx    context.Context //nolint:containedctx // a one-request object
	stall  time.Duration
	broken error
}

func (b *body) Read(p []byte) (int, error) {
	if err := wait(b.ctx, b.stall); err != nil {
		return 0, err
	}
	b.stall = 0
	n, err := b.Reader.Read(p)
	if b.broken != nil && errors.Is(err, io.EOF) {
		return n, b.broken
	}
	return n, err
}

func (*body) Close() error { return nil }

func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// Replicas parses base URLs and fails the test if they are none.
func Replicas(tb testing.TB, urls ...string) upstream.Replicas {
	tb.Helper()
	var replicas upstream.Replicas
	if err := replicas.UnmarshalText([]byte(strings.Join(urls, ","))); err != nil {
		tb.Fatal(err)
	}
	return replicas
}

// Telemetry returns telemetry whose log goes to the test's output.
func Telemetry(tb testing.TB) *telemetry.Telemetry {
	tb.Helper()
	t, err := telemetry.Open(tb.Context(), telemetry.Config{LogLevel: slog.LevelDebug}, tb.Name(), tb.Output())
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// Client returns a client of a service named "users" with one replica behind the transport.
func Client(tb testing.TB, transport http.RoundTripper) *upstream.Client {
	tb.Helper()
	return upstream.New(upstream.Config{
		Service:   "users",
		Replicas:  upstream.Replicas{&url.URL{Scheme: "http", Host: "users.test"}},
		Transport: transport,
		Telemetry: Telemetry(tb),
	})
}
