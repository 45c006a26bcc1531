package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// edge is a server with routes of every kind, and its log.
type edge struct {
	url, addr string
	log       *lines
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// last returns the last line once it says the id, for a request is logged after it is answered.
func (l *lines) last(t *testing.T, requestID string) map[string]any {
	t.Helper()
	for {
		l.mu.Lock()
		text := l.buf.String()
		l.mu.Unlock()
		for line := range strings.Lines(text) {
			var event map[string]any
			if err := json.Unmarshal([]byte(line), &event); err != nil {
				t.Fatalf("log line %q: %v", line, err)
			}
			if event["requestId"] == requestID {
				return event
			}
		}
		if t.Context().Err() != nil {
			t.Fatal("never logged")
		}
	}
}

const maxBody = 1000

func newEdge(t *testing.T, change func(*web.Config)) edge {
	t.Helper()
	log := &lines{}
	tel, err := telemetry.Open(t.Context(), telemetry.Config{LogLevel: slog.LevelInfo}, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	cfg := web.Config{ExternalURL: url.URL{Scheme: "http", Host: "localhost:8080"}, MaxBody: maxBody}
	if change != nil {
		change(&cfg)
	}
	s := web.New(cfg, tel)
	s.GET("/things/:id", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("id")) })
	s.GET("/panic", func(echo.Context) error { panic("boom") })
	s.GET("/half", func(c echo.Context) error {
		c.Response().WriteHeader(http.StatusOK)
		_, _ = c.Response().Write([]byte("half"))
		c.Response().Flush()
		panic("boom")
	})
	s.GET("/cancelled", func(echo.Context) error { return context.Canceled })
	s.GET("/broken", func(echo.Context) error { return errors.New("dial tcp 10.0.0.7: refused") })
	s.GET("/teapot", func(echo.Context) error {
		return fmt.Errorf("wrapped: %w", problem.New(http.StatusTeapot, "teapot", "Short and stout."))
	})
	s.GET("/guarded", func(c echo.Context) error { return c.String(http.StatusOK, "in") }, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			web.Fail(w, r, problem.New(http.StatusUnauthorized, "missing_token", "").With("WWW-Authenticate", "Bearer"))
		})
	})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return edge{url: server.URL, addr: strings.TrimPrefix(server.URL, "http://"), log: log}
}

// send writes the request as it stands and reads the answer; no client normalises anything.
func (e edge) send(t *testing.T, method, raw string) (*http.Response, string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func (e edge) ask(t *testing.T, method, target string, headers ...string) (*http.Response, string) {
	t.Helper()
	return e.send(t, method, method+" "+target+" HTTP/1.1\r\nHost: bff\r\nConnection: close\r\n"+strings.Join(headers, "\r\n")+"\r\n\r\n")
}
