package upstream_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bff.internal/shared/telemetry"
	"bff.internal/shared/upstream"
)

// wire is a service that answers with raw bytes, behind a transport with the limits of the platform's.
type wire struct {
	answer     rawAnswer
	dials, out atomic.Int64 // connections, and bytes that were taken from the service
	serving    sync.WaitGroup
	transport  *http.Transport
}

// rawAnswer is what is written on each connection once a request has come.
type rawAnswer struct {
	first string
	// again follows over and over, until the client hangs up, at these intervals.
	again string
	every time.Duration
	// stays means that the service does not hang up.
	stays bool
}

func newWire(answer rawAnswer) *wire {
	w := &wire{answer: answer}
	w.transport = &http.Transport{DialContext: w.dial, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10}
	return w
}

func (w *wire) dial(context.Context, string, string) (net.Conn, error) {
	w.dials.Add(1)
	near, far := net.Pipe()
	w.serving.Go(func() { w.serve(far) })
	return near, nil
}

func (w *wire) serve(conn net.Conn) {
	defer conn.Close()
	requests := bufio.NewReader(conn)
	for {
		if _, err := http.ReadRequest(requests); err != nil {
			return
		}
		gone := w.write(conn, []byte(w.answer.first))
		for again := []byte(w.answer.again); !gone && len(again) > 0; {
			pause(w.answer.every)
			gone = w.write(conn, again)
		}
		if gone || !w.answer.stays {
			return
		}
	}
}

func pause(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

func (w *wire) write(conn io.Writer, piece []byte) (gone bool) {
	n, err := conn.Write(piece)
	w.out.Add(int64(n))
	return err != nil
}

// end hangs up, and waits until the service has noticed.
func (w *wire) end() {
	w.transport.CloseIdleConnections()
	w.serving.Wait()
}

// client returns a client of the service, without a log.
func (w *wire) client(t *testing.T) *upstream.Client {
	t.Helper()
	quiet, err := telemetry.Open(t.Context(), telemetry.Config{LogLevel: slog.LevelError}, "test", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var replicas upstream.Replicas
	if err := replicas.UnmarshalText([]byte("http://things.test")); err != nil {
		t.Fatal(err)
	}
	return upstream.New(upstream.Config{Service: "things", Replicas: replicas, Transport: w.transport, Telemetry: quiet})
}

const (
	ok200     = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	aValue    = `{"id":"1"}`
	sized     = ok200 + "Content-Length: 10\r\n\r\n" + aValue
	chunked   = ok200 + "Transfer-Encoding: chunked\r\n\r\n"
	hint      = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	lastChunk = "a\r\n" + aValue + "\r\n0\r\n"
)

// kilobyte is a thousand bytes that say nothing.
var kilobyte = strings.Repeat("x", 1000)
