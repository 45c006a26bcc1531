package upstream

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestWhetherAnAnswerHasBegun asks receive itself, for only the layers above it see what it says here.
func TestWhetherAnAnswerHasBegun(t *testing.T) {
	t.Parallel()
	const header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for _, tt := range []struct {
		name, answer string
		stays        bool // the service does not hang up
		begun        bool
	}{
		{name: "a service that hangs up"},
		{name: "a service that says nothing", stays: true},
		{name: "a header cut short", answer: "H", begun: true},
		{name: "a header that stalls", answer: "H", stays: true, begun: true},
		{name: "a hint", answer: "HTTP/1.1 103 Early Hints\r\n\r\n", stays: true, begun: true},
		{name: "no HTTP", answer: "SSH-2.0\r\n", begun: true},
		{name: "a body that stalls", answer: header + "\r\n", stays: true, begun: true},
		{name: "a body cut short", answer: header + "Content-Length: 1\r\n\r\n", begun: true},
		{name: "an answer that is refused unread", answer: header + "Content-Encoding: br\r\n\r\n", begun: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := &http.Transport{DialContext: answering(t, tt.answer, tt.stays)}
				defer transport.CloseIdleConnections()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://things.test/", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				_, err = receive{next: transport, limit: defaultMaxAnswer}.RoundTrip(req)
				if e, ok := errors.AsType[*Error](err); !ok || e.begun != tt.begun {
					t.Errorf("error = %#v, want one with begun = %v", err, tt.begun)
				}
			})
		})
	}
}

// answering dials a service that answers every request so.
func answering(t *testing.T, answer string, stays bool) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			requests := bufio.NewReader(far)
			for {
				if _, err := http.ReadRequest(requests); err != nil {
					return
				}
				if _, err := far.Write([]byte(answer)); err != nil || !stays {
					return
				}
			}
		}()
		return near, nil
	}
}
