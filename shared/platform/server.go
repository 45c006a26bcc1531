package platform

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"net/http"
	"time"
)

const (
	// slowestUpload is the slowest client whose body is waited for, in bytes a second.
	slowestUpload = 64 << 10
	// longestAnswer is from the end of the body to the end of the answer.
	longestAnswer = 30 * time.Second
)

// newServer makes the server that clients meet. A body of maxBody at the slowest rate fits into ReadTimeout
// with a quarter to spare: 5 s + 16 s x 5/4 for 1 MiB. WriteTimeout counts from the end of the header, so
// it holds that upload as well.
func newServer(log *slog.Logger, maxBody int64, handler http.Handler) *http.Server {
	const headerWithin = 5 * time.Second
	upload := time.Duration(maxBody) * time.Second / slowestUpload * 5 / 4
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerWithin,
		ReadTimeout:       headerWithin + upload,
		WriteTimeout:      upload + longestAnswer,
		// Longer than the 60 s that balancers keep a connection: it is for them to close it, or a request
		// could meet our closing half-way.
		IdleTimeout: 75 * time.Second,
		// A token that is too long for us has to arrive, so that it is refused like any other bad one.
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       serverLog(log),
	}
}

// newAdminServer makes the server that operators meet. It has no ReadTimeout, whose end would be the end of
// a longer profile; for profiles, net/http/pprof lifts WriteTimeout by itself.
func newAdminServer(log *slog.Logger, handler http.Handler) *http.Server {
	server := newServer(log, 1, handler)
	server.ReadTimeout = 0
	return server
}

// serverLog takes what net/http has to say.
func serverLog(to *slog.Logger) *log.Logger { return log.New(serverLines{to}, "", 0) }

type serverLines struct{ log *slog.Logger }

// Write logs one line of net/http. What any client can cause at will is for debugging only.
func (s serverLines) Write(line []byte) (int, error) {
	level := slog.LevelWarn
	for _, client := range []string{"TLS handshake error", "URL query contains semicolon"} {
		if bytes.Contains(line, []byte(client)) {
			level = slog.LevelDebug
		}
	}
	s.log.Log(context.Background(), level, "http server", "detail", string(bytes.TrimSpace(line)))
	return len(line), nil
}
