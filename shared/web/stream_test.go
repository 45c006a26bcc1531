package web_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"bff.internal/shared/problem"
	"bff.internal/shared/telemetry"
	"bff.internal/shared/web"
)

// newStream answers with a content type, and says each of the parts when it is told to.
func newStream(t *testing.T, contentType string) (e edge, parts chan string) {
	t.Helper()
	log := &lines{}
	tel, err := telemetry.Open(t.Context(), telemetry.Config{}, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	parts = make(chan string)
	s := web.New(web.Config{MaxBody: maxBody}, tel)
	s.GET("/stream", func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", contentType)
		controller := http.NewResponseController(c.Response())
		for part := range received(c.Request().Context(), parts) {
			if part != "" {
				_, _ = io.WriteString(c.Response(), part)
			}
			if err := controller.Flush(); err != nil {
				t.Error(err)
			}
		}
		return problem.New(http.StatusTeapot, "teapot", "nobody hears that any more")
	})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return edge{url: server.URL, addr: strings.TrimPrefix(server.URL, "http://"), log: log}, parts
}

// received ends with the parts or with the context.
func received(ctx context.Context, parts <-chan string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			select {
			case part, ok := <-parts:
				if !ok || !yield(part) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func TestWhatIsFlushedArrives(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, contentType, accept string
		parts                     []string // an empty one is the header alone
		coding                    string
	}{
		{"an event stream, never compressed", "text/event-stream", "gzip, zstd", []string{"", "data: 1\n\n", "data: " + long + "\n\n"}, ""},
		{"an event stream with a parameter", "text/event-stream; charset=utf-8", "gzip", []string{"", "data: 1\n\n"}, ""},
		{"an event stream for who asks for no coding", "text/event-stream", "", []string{"", "data: 1\n\n"}, ""},
		{"an event stream that ends before its first event", "text/event-stream", "gzip, zstd", []string{""}, ""},
		{"one that ends likewise, for who asks for no coding", "text/event-stream", "", []string{""}, ""},
		{"text that comes bit by bit", "text/plain", "gzip", []string{"one", "two", long}, "gzip"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, parts := newStream(t, tt.contentType)
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, "GET /stream HTTP/1.1\r\nHost: bff\r\nX-Request-Id: stream\r\nAccept-Encoding: "+tt.accept+"\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			parts <- tt.parts[0]
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := resp.Header.Get("Content-Encoding"); got != tt.coding {
				t.Errorf("Content-Encoding = %q, want %q", got, tt.coding)
			}
			var reader io.Reader = resp.Body
			if tt.coding == "gzip" {
				if reader, err = gzip.NewReader(resp.Body); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, reader, tt.parts[0])
			for _, part := range tt.parts[1:] {
				parts <- part
				expect(t, reader, part)
			}
			close(parts)
			if rest, err := io.ReadAll(reader); err != nil || len(rest) != 0 {
				t.Errorf("ends with %q, %v", rest, err)
			}
			if event := e.log.last(t, "stream"); event["status"] != 200.0 {
				t.Errorf("logged: %v", event)
			}
		})
	}
}

// expect reads what was flushed, before anything more is said.
func expect(t *testing.T, reader io.Reader, part string) {
	t.Helper()
	got := make([]byte, len(part))
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != part {
		t.Fatalf("%.80q, %v; want %.80q", got, err, part)
	}
}

// Encoders are large, and who reads slowly keeps one for long.
func TestSlowReadersKeepNoMoreThanSomeEncoders(t *testing.T) {
	t.Parallel()
	tel, err := telemetry.Open(t.Context(), telemetry.Config{}, "test", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s, release := web.New(web.Config{MaxBody: maxBody}, tel), make(chan struct{})
	s.GET("/slow", func(c echo.Context) error {
		_ = c.String(http.StatusOK, long)
		c.Response().Flush()
		select {
		case <-release:
		case <-c.Request().Context().Done():
		}
		return nil
	})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)

	const enough = 32
	var bodies []io.Reader
	for i := range enough + 2 {
		resp := askSlow(t, server.URL)
		if coded := resp.Header.Get("Content-Encoding") == "gzip"; coded != (i < enough) {
			t.Errorf("answer %d at a time: %v", i+1, resp.Header)
		}
		bodies = append(bodies, resp.Body)
	}
	close(release)
	for _, body := range bodies {
		if _, err := io.Copy(io.Discard, body); err != nil {
			t.Error(err)
		}
	}
	for range enough + 2 { // one after the other
		resp := askSlow(t, server.URL)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("after that: %v, %v", resp.Header, err)
		}
	}
}

// askSlow returns an answer in gzip, if that can be had, which has begun.
func askSlow(t *testing.T, url string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/slow", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}
