package web

import (
	"bufio"
	"net"
	"net/http"

	"bff.internal/shared/overload"
)

// recorder remembers what was answered. Its Unwrap keeps http.ResponseController working.
type recorder struct {
	http.ResponseWriter

	status int   // 0 until something is answered; 499 when the client left before that
	bytes  int64 // of the body, as it was sent
	broken bool
	shed   bool
	slot   overload.Slot
}

// WriteHeader remembers the final status, not an informational one.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the body.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// FlushError sends what was written so far, and at least the header.
func (w *recorder) FlushError() error {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for who does not ask for that.
func (w *recorder) Flush() { _ = w.FlushError() }

// Hijack hands the connection over to a handler that goes on to speak another protocol on it, so the answer is 101.
// From then on it is no request any more, and leaves its place to one.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.slot.Release()
	if w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, buffer, nil
}

// Unwrap returns the writer of the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// finish settles the status of an answer that nobody wrote.
func (w *recorder) finish() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

// recorded finds the recorder below whatever middleware has wrapped around it.
func recorded(w http.ResponseWriter) *recorder {
	for {
		switch own := w.(type) {
		case *recorder:
			return own
		case interface{ Unwrap() http.ResponseWriter }:
			w = own.Unwrap()
		default:
			return nil
		}
	}
}
