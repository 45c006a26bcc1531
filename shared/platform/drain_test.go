package platform_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// held is a handler whose requests to /held stay until they are released, or until their context ends if
// they are obedient.
type held struct {
	entered, release chan struct{}
	obedient         bool
}

func newHeld(obedient bool) *held {
	return &held{entered: make(chan struct{}, 1), release: make(chan struct{}), obedient: obedient}
}

// ServeHTTP answers ok, sooner or later.
func (h *held) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/held" {
		h.entered <- struct{}{}
		cancelled := r.Context().Done()
		if !h.obedient {
			cancelled = nil
		}
		select {
		case <-cancelled:
			http.Error(w, context.Cause(r.Context()).Error(), http.StatusServiceUnavailable)
			return
		case <-h.release:
		}
	}
	_, _ = io.WriteString(w, "ok")
}

// answer is what a request came to.
type answer struct {
	status int
	body   string
	err    error
}

// ask makes a request in the background.
func ask(addr, path string) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		response, body, err := get(addr, path)
		if err != nil {
			answers <- answer{err: err}
			return
		}
		answers <- answer{status: response.StatusCode, body: body}
	}()
	return answers
}

// This test runs alone, because it looks at all goroutines.
func TestADrainFinishesWhatIsInFlight(t *testing.T) { //nolint:paralleltest // see above
	unrelated := goleak.IgnoreCurrent()
	cfg := testConfig()
	cfg.DrainDelay, cfg.DrainTimeout = 2*time.Second, 20*time.Second
	handler := newHeld(true)
	p, log := open(t, cfg)
	l, err := p.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx, handler) }()

	working := make(chan struct{})
	p.Go("work", func(ctx context.Context) error {
		defer close(working)
		<-ctx.Done()
		return ctx.Err()
	})
	kept := dial(t, l.Addr())
	if closing := talk(t, kept); closing {
		t.Fatal("before the drain an answer closes its connection")
	}
	inFlight := ask(l.Addr(), "/held")
	<-handler.entered
	if _, body, err := get(l.AdminAddr(), "/readyz"); err != nil || body != "ready\n" {
		t.Fatalf("/readyz before the drain: %q, %v", body, err)
	}

	select {
	case <-p.Draining:
		t.Error("draining before it is told to stop")
	default:
	}
	stop()
	began := time.Now()
	<-p.Draining
	until(t, func() bool {
		response, body, err := get(l.AdminAddr(), "/readyz")
		return err == nil && response.StatusCode == http.StatusServiceUnavailable && body == "draining\n"
	})
	if closing := talk(t, kept); !closing {
		t.Error("during the delay an answer keeps the connection that it came on")
	}
	if closing := talk(t, dial(t, l.Addr())); !closing {
		t.Error("during the delay an answer keeps a new connection")
	}

	until(t, func() bool {
		_, _, err := get(l.Addr(), "/")
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if took := time.Since(began); took < cfg.DrainDelay {
		t.Errorf("connections refused after %v, want %v", took, cfg.DrainDelay)
	}
	if _, body, err := get(l.AdminAddr(), "/livez"); err != nil || body != "ok\n" {
		t.Errorf("/livez at the end of the drain: %q, %v", body, err)
	}
	select {
	case got := <-inFlight:
		t.Fatalf("the request in flight ended with %+v, want that it is left alone", got)
	case err := <-ended:
		t.Fatalf("Serve returned %v with a request in flight", err)
	case <-working:
		t.Fatal("background work was stopped with a request in flight")
	default:
	}

	close(handler.release)
	if got := <-inFlight; got != (answer{status: http.StatusOK, body: "ok"}) {
		t.Errorf("the request in flight ended with %+v", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	<-working
	if stopped := log.entries(t, "stopped"); len(stopped) != 1 || stopped[0]["requestsCut"] != 0.0 {
		t.Errorf("the log has %v, want one stop without a cut request", stopped)
	}
	if serving := log.entries(t, "serving"); len(serving) != 1 || serving[0]["addr"] != l.Addr() || serving[0]["adminAddr"] != l.AdminAddr() {
		t.Errorf("the log has %v, want the addresses", serving)
	}
	goleak.VerifyNone(t, unrelated)
}

func TestADrainCutsWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		obedient bool
		want     answer
	}{
		{
			name: "a request that heeds its context can still say so", obedient: true,
			want: answer{status: http.StatusServiceUnavailable, body: "the service stops\n"},
		},
		{
			name: "one that does not loses its connection", obedient: false,
			want: answer{err: io.EOF},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig()
			cfg.DrainTimeout = 50 * time.Millisecond
			handler := newHeld(test.obedient)
			defer close(handler.release)
			r := serve(t, cfg, handler)
			inFlight := ask(r.public, "/held")
			<-handler.entered
			r.stop()
			r.wait(t)
			got := <-inFlight
			if got.status != test.want.status || got.body != test.want.body || !errors.Is(got.err, test.want.err) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if stopped := r.log.entries(t, "stopped"); len(stopped) != 1 || stopped[0]["requestsCut"] != 1.0 {
				t.Errorf("the log has %v, want one stop that cut one request", stopped)
			}
		})
	}
}

// The point of draining before closing: a client that keeps its connections, as a balancer does, and stops
// sending when it is told to, sees no request fail.
func TestNoRequestIsLostInARollingRestart(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.DrainDelay, cfg.DrainTimeout = 500*time.Millisecond, 10*time.Second
	r := serve(t, cfg, newHeld(true))
	var answered atomic.Int64
	lost := make(chan error, 8)
	for range cap(lost) {
		go func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for {
				// Transports repeat a GET on a connection that broke, which would hide the loss.
				response, err := client.Post("http://"+r.public+"/", "text/plain", strings.NewReader("body"))
				if err != nil {
					lost <- err
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				answered.Add(1)
				if ready, _, err := get(r.admin, "/readyz"); err == nil && ready.StatusCode != http.StatusOK {
					lost <- nil // the balancer looks elsewhere
					return
				}
			}
		}()
	}
	until(t, func() bool { return answered.Load() > 200 })
	r.stop()
	for range cap(lost) {
		if err := <-lost; err != nil {
			t.Errorf("a request failed: %v", err)
		}
	}
}

// talk asks on the connection, where the answer has to be ok, and reports whether it closes the connection.
func talk(t *testing.T, conn net.Conn) (closing bool) {
	t.Helper()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); string(body) != "ok" {
		t.Fatalf("answered %q, %v", body, err)
	}
	return response.Close
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
