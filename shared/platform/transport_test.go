package platform_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// upstream is a service that counts its connections.
type upstream struct {
	*httptest.Server

	opened, closed atomic.Int64
}

func newUpstream(t *testing.T, handler http.HandlerFunc) *upstream {
	t.Helper()
	u := &upstream{Server: httptest.NewUnstartedServer(handler)}
	u.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			u.opened.Add(1)
		case http.StateClosed:
			u.closed.Add(1)
		default:
		}
	}
	u.Start()
	t.Cleanup(u.Close)
	return u
}

// call makes one call to the service through the transport.
func call(t *testing.T, transport http.RoundTripper, url string) (header http.Header, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return response.Header, string(content), err
}

func TestBurstsOfCallsKeepTheirConnections(t *testing.T) {
	t.Parallel()
	const burst = 100
	p, _ := open(t, testConfig())
	var together sync.WaitGroup
	u := newUpstream(t, func(http.ResponseWriter, *http.Request) {
		together.Done()
		together.Wait() // so that each call needs a connection of its own
	})
	for range 3 {
		together.Add(burst)
		var calls sync.WaitGroup
		for range burst {
			calls.Go(func() {
				if _, _, err := call(t, p.Transport, u.URL); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
	}
	// A connection is idle again a moment after its answer was read, so a few may be opened beside it.
	if opened := u.opened.Load(); opened > 2*burst {
		t.Errorf("three bursts of %d calls have opened %d connections", burst, opened)
	}
	p.Close()
	until(t, func() bool { return u.closed.Load() == u.opened.Load() })
}

func TestAnswersAreReadAsTheyWereSent(t *testing.T) {
	t.Parallel()
	p, _ := open(t, testConfig())
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "accepts "+r.Header.Get("Accept-Encoding"))
	})
	header, body, err := call(t, p.Transport, u.URL)
	if err != nil || body != "accepts " || header.Get("Content-Encoding") != "gzip" {
		t.Errorf("got %q with %v, %v; want that nothing was asked for and nothing unpacked", body, header, err)
	}
}

func TestAnswersWithEndlessHeadersAreRefused(t *testing.T) {
	t.Parallel()
	p, _ := open(t, testConfig())
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Filler", strings.Repeat("x", 65<<10))
	})
	if _, _, err := call(t, p.Transport, u.URL); err == nil {
		t.Error("a header of 65 KiB was read")
	}
}

func TestFloodsOfInterimAnswersAreRefused(t *testing.T) {
	t.Parallel()
	p, _ := open(t, testConfig())
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < 100_000 && r.Context().Err() == nil; i++ {
			w.WriteHeader(http.StatusEarlyHints)
		}
	})
	if _, _, err := call(t, p.Transport, u.URL); err == nil {
		t.Error("a hundred thousand hints were read")
	}
}
